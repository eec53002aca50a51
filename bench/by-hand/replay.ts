/**
 * A process of the by-hand replay: the flights file onto a Redis stream, as fast as it will take them.
 * `replay.ts <redis url> <stream> <events>`. Tells its parent when all are published.
 */
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { Redis } from 'iovalkey';
import { flightsHistory } from '../../apps/api/src/demo/flights.ts';

const [redisUrl = '', stream = '', events = '0'] = process.argv.slice(2);
const READ_ROWS = 20_000;
const BATCH = 1_000;

process.once('disconnect', () => process.exit());
const redis = new Redis(redisUrl);
const file = await asyncBufferFromFile(flightsHistory().file);
for (let from = 0; from < Number(events); from += READ_ROWS) {
  const rows = await parquetReadObjects({
    file,
    compressors,
    columns: ['origin', 'date', 'delay'],
    rowStart: from,
    rowEnd: from + READ_ROWS,
  });
  for (let batch = 0; batch < rows.length; batch += BATCH) {
    const pipeline = redis.pipeline();
    for (const [index, row] of rows.slice(batch, batch + BATCH).entries())
      pipeline.xadd(
        stream,
        '*',
        'id',
        `f:${from + batch + index}`,
        'key',
        String(row['origin']),
        'at',
        String(Number(row['date'])),
        'value',
        String(row['delay']),
      );
    await pipeline.exec();
  }
}
process.send?.('published');
process.disconnect?.();
