/**
 * A process to be killed. `produce` appends for ever, going on where the producer's state says; `consume` reads,
 * acknowledges and trims for ever; `stare` keeps a snapshot open, as a consumer killed in the middle of a read does.
 * Each acknowledged step is a line on the standard output, written before the next step begins.
 */
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { open } from 'lmdb';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import type { StreamOffset } from '../../src/data-plane/ports.ts';
import { liveEvents } from '../conformance/stream/entries.ts';

const [role, directory] = process.argv.slice(2) as ['produce' | 'consume' | 'stare', string];
const stream = await openEmbeddedStream({ directory, name: 'live' });
const say = (line: string): void => void writeSync(1, `${line}\n`);

if (role === 'produce') {
  let appended = Number((await stream.producer.producerState()) ?? 0);
  for (let batch = 0; ; batch++) {
    const count = 1 + (batch % 97);
    const { lastOffset } = await stream.producer.append(
      liveEvents('e', count, appended),
      String(appended + count),
    );
    appended += count;
    say(lastOffset);
  }
} else if (role === 'stare') {
  open({
    path: join(directory, 'live'),
    noSubdir: false,
    noSync: true,
    overlappingSync: false,
  }).useReadTransaction();
  say('0'.repeat(16));
  setInterval(() => {}, 60_000);
} else {
  const consumer = stream.consumer('consumer');
  const signal = new AbortController().signal;
  let after: StreamOffset | null = (await stream.stats('consumer')).group?.acknowledged ?? null;
  for (;;) {
    const entries = await consumer.read({ after, maxEntries: 100, waitMs: 1000, signal });
    after = entries.at(-1)?.offset ?? after;
    if (after === null) continue;
    await consumer.acknowledge(after);
    say(after);
    await stream.trim();
  }
}
