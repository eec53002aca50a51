/** How many events a backfill will meet: from exact counts per minute, so null until every source of it has been counted. */
import { and, eq, inArray, isNull, notInArray } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { backfills, lanes } from '../database/schema.ts';
import { announce } from './announce.ts';

interface LaneRange {
  readonly sourceId: string;
  readonly laneFrom: number;
  readonly laneTo: number;
}

export function expectedEvents(
  ctx: Pick<ControlContext, 'statistics'>,
  ranges: readonly LaneRange[],
): number | null {
  let total = 0;
  for (const { sourceId, laneFrom, laneTo } of ranges) {
    const events = ctx.statistics.expectedEvents(sourceId, { from: laneFrom, to: laneTo });
    if (events === null) return null;
    total += events;
  }
  return total;
}

/** After a count: backfills that were started before it (the demo's first is) learn what to expect, and with it percent and ETA. */
export async function expectWhatIsCounted(ctx: ControlContext): Promise<void> {
  const waiting = and(
    isNull(backfills.eventsExpected),
    notInArray(backfills.state, ['completed', 'cancelled']),
  );
  const ids = (await ctx.database.select({ id: backfills.id }).from(backfills).where(waiting)).map(
    ({ id }) => id,
  );
  if (ids.length === 0) return;
  const ranges = await ctx.database.select().from(lanes).where(inArray(lanes.backfillId, ids));
  for (const id of ids) {
    const expected = expectedEvents(
      ctx,
      ranges.filter(({ backfillId }) => backfillId === id),
    );
    if (expected === null) continue;
    await ctx.database.update(backfills).set({ eventsExpected: expected }).where(eq(backfills.id, id));
    await announce(ctx, id);
  }
}
