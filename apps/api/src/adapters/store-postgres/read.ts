/** Answers from the store. Every statement is bounded: on an embedded database it keeps live waiting. */

import { compareAddresses } from '@spillway/shared/sources/row-address';
import type { QuarantinedEvent } from '../../data-plane/event.ts';
import type { Bucket, BucketDigest, StoreReader, TimeRange } from '../../data-plane/ports.ts';
import type { Row, Statements } from './connections.ts';
import { integer, text, texts } from './literal.ts';

const PAGE_ROWS_MAX = 10_000;
const STEPS_MAX = 200_000;
/** Of four sources with 250 keys that is some 20,000 bucket rows, about 20 ms of an embedded database. */
const COVERAGE_PIECE_MS = 72 * 3_600_000;
const MODULUS = '18446744073709551616';

type BucketsRequest = Parameters<StoreReader['buckets']>[0];
type CoverageRequest = Parameters<StoreReader['coverage']>[0];

/** In the order of (start, key, source). Each source's page comes from its index, so a page costs the same anywhere. */
export async function buckets({ run }: Statements, request: BucketsRequest): Promise<readonly Bucket[]> {
  const { sourceIds, range, key, after } = request;
  const limit = Math.max(0, Math.min(PAGE_ROWS_MAX, Math.trunc(request.limit)));
  const rows = await run(`select b.* from unnest(${texts(sourceIds)}::text[]) as s (id) cross join lateral (
      select source_id, key, start, count, sum, min, max, hash, version from spillway.buckets
      where dataset = 0 and source_id = s.id and ${within('start', range)}${key === null ? '' : ` and key = ${text(key)}`}
      ${after === null ? '' : `and (start, key) >= (${integer(after.start)}, ${text(after.key)}) and (start, key, source_id) > (${integer(after.start)}, ${text(after.key)}, ${text(after.sourceId)})`}
      order by start, key limit ${limit}) b
    order by b.start, b.key, b.source_id limit ${limit}`);
  return rows.map((row) => ({
    sourceId: row['source_id'] ?? '',
    ...digestOf(row),
    min: Number(row['min']),
    max: Number(row['max']),
    version: Number(row['version']),
  }));
}

/** Every step of the range, also the empty ones. Read in pieces: not one snapshot. */
export async function coverage(
  { run }: Statements,
  request: CoverageRequest,
): Promise<readonly { readonly start: number; readonly stored: number }[]> {
  const { range, stepMs, sourceIds } = request;
  const steps = Math.max(0, Math.ceil((range.to - range.from) / stepMs));
  if (!(steps <= STEPS_MAX)) throw new RangeError(`a coverage of ${steps} steps is more than ${STEPS_MAX}`);
  const stored = Array.from({ length: steps }, (_, step) => ({
    start: range.from + step * stepMs,
    stored: 0,
  }));
  for (let from = range.from; from < range.to; from += COVERAGE_PIECE_MS) {
    const piece = { from, to: Math.min(range.to, from + COVERAGE_PIECE_MS) };
    const rows =
      await run(`select (start - ${integer(range.from)}) / ${integer(stepMs)} as step, sum(count) as stored from spillway.buckets
      where dataset = 0 and source_id = any (${texts(sourceIds)}::text[]) and ${within('start', piece)} group by 1`);
    for (const row of rows) {
      const step = stored[Number(row['step'])];
      if (step !== undefined) step.stored += Number(row['stored']);
    }
  }
  return stored;
}

/** Where the range cuts a bucket, events are those inside it and buckets those that start in it: then only the events can be compared. */
export async function proof(
  { run }: Statements,
  request: { readonly sourceId: string; readonly range: TimeRange; readonly bucketMs: number },
): Promise<{ readonly events: readonly BucketDigest[]; readonly buckets: readonly BucketDigest[] }> {
  const { sourceId, range, bucketMs } = request;
  const rows = await run(`
    select 'events' as made_of, key, start, count(*) as count, sum(value) as sum, mod(mod(sum(h), ${MODULUS}) + ${MODULUS}, ${MODULUS}) as hash
    from (select key, at / ${integer(bucketMs)} * ${integer(bucketMs)} as start, value, ('x' || right(md5(id || chr(31) || value), 16))::bit(64)::bigint as h
          from spillway.events where dataset = 0 and source_id = ${text(sourceId)} and ${within('at', range)}) e
    group by key, start
    union all
    select 'buckets', key, start, count, sum, hash from spillway.buckets
    where dataset = 0 and source_id = ${text(sourceId)} and ${within('start', range)}`);
  const madeOf = (kind: string) => rows.filter((row) => row['made_of'] === kind).map(digestOf);
  return { events: madeOf('events'), buckets: madeOf('buckets') };
}

export async function quarantine(
  { run }: Statements,
  backfillId: string,
  limit: number,
): Promise<readonly QuarantinedEvent[]> {
  const most = Math.max(0, Math.min(PAGE_ROWS_MAX, Math.trunc(limit)));
  // What one batch refused came at once, and is told by the numbers in its addresses.
  const rows =
    await run(`select source_id, address, code, detail, dense_rank() over (order by first_seen_at, source_id) as place
    from spillway.quarantine where publisher = ${text(backfillId)}
    order by first_seen_at, source_id fetch first ${most} rows with ties`);
  return rows
    .map((row) => ({
      place: Number(row['place']),
      sourceId: row['source_id'] ?? '',
      address: row['address'] ?? '',
      code: row['code'] as QuarantinedEvent['code'],
      detail: row['detail'] ?? '',
    }))
    .sort((a, b) => a.place - b.place || compareAddresses(a.address, b.address))
    .slice(0, most)
    .map(({ place: _, ...row }) => row);
}

function within(column: string, range: TimeRange): string {
  return `${column} >= ${integer(range.from)} and ${column} < ${integer(range.to)}`;
}

function digestOf(row: Row): BucketDigest {
  return {
    key: row['key'] ?? '',
    start: Number(row['start']),
    count: Number(row['count']),
    sum: row['sum'] ?? '0',
    hash: row['hash'] ?? '0',
  };
}
