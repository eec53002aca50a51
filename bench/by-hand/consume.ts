/**
 * A process of the by-hand replay: one consumer of one Redis stream, which inserts what it reads and acknowledges it.
 * `consume.ts <redis url> <postgres url> <stream>`. Tells its parent twice a second what it applied since.
 */
import { Redis } from 'iovalkey';
import pg from 'pg';
import { GROUP } from './streams.ts';
import { insertBatch } from './table.ts';

export interface Applied {
  readonly events: number;
  /** Of live events: when published, and published to committed, ms; by turns. */
  readonly freshness: number[];
}

const [redisUrl = '', postgresUrl = '', stream = ''] = process.argv.slice(2);
const BATCH = 1_000;

process.once('disconnect', () => process.exit());
const redis = new Redis(redisUrl);
const client = new pg.Client(postgresUrl);
await client.connect();

let events = 0;
let freshness: number[] = [];
setInterval(() => {
  process.send?.({ events, freshness } satisfies Applied);
  events = 0;
  freshness = [];
}, 500);

for (;;) {
  const read = (await redis.xreadgroup(
    'GROUP',
    GROUP,
    'consumer',
    'COUNT',
    BATCH,
    'BLOCK',
    50,
    'STREAMS',
    stream,
    '>',
  )) as [string, [string, string[]][]][] | null;
  const entries = read?.[0]?.[1];
  if (entries === undefined) continue;
  // Fields in the order they were written: id, key, at, value, and publishedAt for live.
  const column = (place: number) => entries.map(([, fields]) => fields[place] as string);
  await client.query(insertBatch, [
    column(1),
    column(3),
    column(5).map((at) => new Date(Number(at)).toISOString()),
    column(7),
  ]);
  const committedMs = Date.now();
  for (const [, fields] of entries)
    if (fields[9] !== undefined) freshness.push(Number(fields[9]), committedMs - Number(fields[9]));
  await redis.xack(stream, GROUP, ...entries.map(([id]) => id));
  events += entries.length;
}
