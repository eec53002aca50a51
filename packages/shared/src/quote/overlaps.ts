/** Backfills that are not finished and replay some of the same events: applied once, but read, published and paid for twice. */
import type { Overlap } from '../api/quote.ts';

export interface ReplayedSpan {
  readonly sourceIds: readonly string[];
  /** Epoch ms, half-open. */
  readonly from: number;
  readonly to: number;
}

export function overlapsOf(
  wanted: ReplayedSpan,
  unfinished: readonly (ReplayedSpan & { readonly backfillId: string })[],
): Overlap[] {
  return unfinished.flatMap(({ backfillId, sourceIds, ...other }) => {
    const from = Math.max(wanted.from, other.from);
    const to = Math.min(wanted.to, other.to);
    const shared = sourceIds.filter((id) => wanted.sourceIds.includes(id));
    if (shared.length === 0 || from >= to) return [];
    const window = { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
    const detail = `${backfillId} replays ${shared.join(', ')} from ${window.from} to ${window.to} too; that is paid for twice.`;
    return [{ backfillId, sourceIds: shared, window, detail }];
  });
}
