/**
 * What the sources hold, counted once by a replay worker: events per minute, exact unless they are marked as estimates. Kept in the database compressed and in
 * memory as prefix sums, so that "how many events has this source in this window" is two look-ups, for any window.
 */
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import type { ReportStatistics } from '@spillway/shared/api/worker-protocol';
import { estimatedRange } from '@spillway/shared/quote/event-range';
import { eq, sql } from 'drizzle-orm';
import type { ControlContext, Statistics } from '../context.ts';
import type { Database } from '../database/database.ts';
import { sources } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { type EventCounts, eventBounds, eventCounts, eventsIn } from './event-counts.ts';

const unzip = promisify(gunzip);

/** Enough for a minute-wise count of fifty years; a larger answer is a broken worker or worse. */
const LARGEST_COUNTS_BYTES = 128 * 2 ** 20;

export interface SourceStatistics extends Statistics {
  /** From the database, at start. */
  load(): Promise<void>;
}

export function createStatistics(ctx: Pick<ControlContext, 'database' | 'clock'>): SourceStatistics {
  const counted = new Map<
    string,
    {
      readonly counts: EventCounts;
      readonly estimated: boolean;
      readonly from: number;
      readonly to: number;
    }
  >();

  return {
    expectedEvents(sourceId, range) {
      const known = counted.get(sourceId);
      if (known === undefined || known.estimated) return null;
      const held = within(known, range);
      return held === null ? 0 : eventsIn(known.counts, held);
    },

    eventRange(sourceId, range) {
      const known = counted.get(sourceId);
      if (known === undefined) return null;
      const held = within(known, range);
      if (held === null) return { low: 0, likely: 0, high: 0 };
      const likely = eventsIn(known.counts, held);
      if (!known.estimated) return { ...eventBounds(known.counts, held), likely };
      return { ...estimatedRange(likely, eventsIn(known.counts, known)), estimated: true };
    },

    async load() {
      const rows = await ctx.database.select().from(sources);
      for (const row of rows) {
        const { rangeFrom, rangeTo } = row;
        if (
          row.counts === null ||
          row.countFrom === null ||
          row.countStepMs === null ||
          rangeFrom === null ||
          rangeTo === null
        )
          continue;
        const laps =
          row.lapSpanMs === null || row.laps === null ? null : { spanMs: row.lapSpanMs, laps: row.laps };
        const counts = eventCounts({
          from: row.countFrom,
          stepMs: row.countStepMs,
          counts: await inflate(row.counts),
          laps,
        });
        counted.set(row.id, { counts, estimated: row.countsEstimated, from: rangeFrom, to: rangeTo });
      }
    },

    forget: (sourceId) => void counted.delete(sourceId),

    async record(body) {
      const known = await ctx.database
        .select({ id: sources.id })
        .from(sources)
        .where(eq(sources.id, body.sourceId));
      if (known.length === 0)
        throw new ProblemError('unknown_source', `There is no source ${body.sourceId}.`, {
          pointer: '/sourceId',
        });
      if (body.failure !== null) {
        await fail(ctx.database, body.sourceId, body.failure);
        return;
      }
      const compressed = Buffer.from(body.counts, 'base64');
      if (body.stepMs < 1 || (body.laps !== null && (body.laps.spanMs < 1 || body.laps.laps < 1))) {
        throw new ProblemError('invalid_request', 'Steps and laps are at least 1 ms long.', {
          pointer: '/stepMs',
        });
      }
      const counts = eventCounts({
        from: body.countFrom,
        stepMs: body.stepMs,
        counts: await inflate(compressed),
        laps: body.laps,
      });
      await ctx.database
        .update(sources)
        .set({
          // That its history can be read again does not connect its feed.
          state: sql`case when ${sources.disconnectedAt} is null then 'connected' else 'disconnected' end`,
          failure: null,
          rangeFrom: body.from,
          rangeTo: body.to,
          wholeFrom: body.wholeFrom ?? null,
          fingerprint: body.fingerprint,
          countedAt: new Date(ctx.clock.now()),
          countFrom: body.countFrom,
          countStepMs: body.stepMs,
          counts: compressed,
          countsEstimated: body.estimated ?? false,
          rowsQuarantined: body.rowsQuarantined ?? null,
          lapSpanMs: body.laps?.spanMs ?? null,
          laps: body.laps?.laps ?? null,
        })
        .where(eq(sources.id, body.sourceId));
      counted.set(body.sourceId, {
        counts,
        estimated: body.estimated ?? false,
        from: body.from,
        to: body.to,
      });
    },
  };
}

/**
 * Where the range holds an end of the history, the step at that end counts whole: all its events lie inside. Counts of a repeated history reach past
 * what it gives out, which ends with its last lap. Null: nothing of the range is held.
 */
function within(
  known: { readonly counts: EventCounts; readonly from: number; readonly to: number },
  range: { readonly from: number; readonly to: number },
): { from: number; to: number } | null {
  if (Math.max(range.from, known.from) >= Math.min(range.to, known.to)) return null;
  const { from: first, stepMs, laps } = known.counts;
  const edge = (at: number, toEdge: (steps: number) => number) =>
    laps === null ? first + toEdge((at - first) / stepMs) * stepMs : at;
  return {
    from: range.from <= known.from ? edge(known.from, Math.floor) : range.from,
    to: range.to >= known.to ? edge(known.to, Math.ceil) : range.to,
  };
}

async function fail(
  database: Database,
  sourceId: string,
  failure: NonNullable<ReportStatistics['failure']>,
): Promise<void> {
  // What is not there any more is not what was counted; what cannot be reached now may well be.
  const isGone = failure.code === 'source_missing';
  await database
    .update(sources)
    .set({ state: 'failed', failure, ...(isGone ? { fingerprint: null } : {}) })
    .where(eq(sources.id, sourceId));
}

/** Errors: `invalid_request` for what cannot be counts: whoever sent it would send it again. */
async function inflate(compressed: Uint8Array): Promise<Uint32Array> {
  try {
    const bytes = await unzip(compressed, { maxOutputLength: LARGEST_COUNTS_BYTES });
    // A copy of its own: the pool's buffer need not be aligned.
    return new Uint32Array(Uint8Array.from(bytes).buffer);
  } catch (cause) {
    throw new ProblemError('invalid_request', 'The counts are not gzip-compressed 32-bit numbers.', {
      pointer: '/counts',
      cause,
    });
  }
}
