/** What a table holds: all of it by one grouped scan, or, of one that is too large for that, its ends and a sample. */
import { createHash } from 'node:crypto';
import { SourceError, type TimeRange } from '../../data-plane/ports.ts';
import { parseEventTime } from '../source-rows/event-time.ts';
import { StepCounts } from '../source-rows/step-counts.ts';
import type { Snapshot } from './connections.ts';
import type { Statements } from './statements.ts';
import type { Table } from './table.ts';

interface Ends {
  readonly first: string;
  readonly last: string;
}

const MINUTE_MS = 60_000;
const FETCH_ROWS = 10_000;
/** Of a large table. */
const SAMPLED_ROWS = 1_000_000;

export interface Scan {
  /** As the catalogue had it. */
  readonly table: Table;
  readonly fingerprint: string;
  readonly range: TimeRange;
  readonly rows: number;
  readonly bytes: number;
  /** There may be rows without a usable time: they are met where the range begins. */
  readonly untimed: boolean;
  readonly counts: StepCounts;
  readonly estimated: boolean;
}

/** Errors: `source_schema` when rows have no id. */
export async function scanAll(
  snapshot: Snapshot,
  { table, statements, sourceIds }: { table: Table; statements: Statements; sourceIds: readonly string[] },
): Promise<Scan> {
  const counts = new StepCounts(sourceIds);
  let [rows, bytes, hash, unnamed] = [0, 0, 0n, 0];
  let untimed = false;
  let ends = null as Ends | null;
  const { text, values } = statements.scan();
  for await (const group of fetched(snapshot, text, values)) {
    rows += Number(group['rows']);
    bytes += Number(group['bytes']);
    hash += BigInt(group['hash'] ?? 0);
    unnamed += Number(group['unnamed']);
    const [source, events] = [Number(group['source']), Number(group['events'])];
    if (source >= 0) counts.quarantine(source, Number(group['rows']) - events);
    const { minute = null, first = null, last = null } = group;
    if (minute === null || first === null || last === null) {
      untimed = true;
      continue;
    }
    if (events > 0 && source >= 0) counts.add(source, Number(minute) * MINUTE_MS, events);
    ends = {
      first: ends === null || first < ends.first ? first : ends.first,
      last: ends === null || last > ends.last ? last : ends.last,
    };
  }
  if (unnamed > 0) throw new SourceError('source_schema', `${table.relation}: ${unnamed} rows have no id`);
  return {
    table,
    fingerprint: fingerprintOf('all', table.relation, rows, BigInt.asUintN(64, hash)),
    range: rangeOf(ends, untimed),
    rows,
    bytes,
    untimed,
    counts,
    estimated: false,
  };
}

export async function sampleLarge(
  snapshot: Snapshot,
  options: { table: Table; statements: Statements; sourceIds: readonly string[]; rowsEstimated: number },
): Promise<Scan> {
  const { table, statements, sourceIds, rowsEstimated } = options;
  const counts = new StepCounts(sourceIds);
  const percent = Math.min(100, (100 * SAMPLED_ROWS) / rowsEstimated);
  const { text, values } = statements.sample(percent);
  for await (const { source, minute, events } of fetched(snapshot, text, values))
    counts.add(Number(source), Number(minute) * MINUTE_MS, Math.round((Number(events) * 100) / percent));
  const [found] = await snapshot.query(statements.ends());
  const { first = null, last = null } = found ?? {};
  const ends = first === null || last === null ? null : { first, last };
  return {
    table,
    fingerprint: fingerprintOf('ends', table.relation, ends?.first, ends?.last, rowsEstimated),
    range: rangeOf(ends, true),
    rows: Math.round(rowsEstimated),
    bytes: table.bytes,
    untimed: true,
    counts,
    estimated: true,
  };
}

async function* fetched(snapshot: Snapshot, text: string, values: readonly unknown[]) {
  await snapshot.query(text, values);
  for (;;) {
    const rows = await snapshot.query(`fetch ${FETCH_ROWS} from scan`);
    yield* rows;
    if (rows.length < FETCH_ROWS) return;
  }
}

function rangeOf(ends: Ends | null, untimed: boolean): TimeRange {
  if (ends === null) return { from: 0, to: untimed ? 1 : 0 };
  return { from: msOf(ends.first), to: msOf(ends.last) + 1 };
}

/** Of a time as the statements write it. */
export function msOf(at: string): number {
  const ms = parseEventTime(at, 'text');
  if (ms === null) throw new RangeError(`${at} is not a time that to_char writes`);
  return ms;
}

function fingerprintOf(...parts: unknown[]): string {
  return createHash('sha256').update(parts.map(String).join('\0')).digest('hex').slice(0, 32);
}
