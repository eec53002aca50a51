import type { Backfill } from '@spillway/shared/api/backfill';
import { formatSpan } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { useScreenNow } from '../../past/components/past-context.ts';
import { staggerLeftMs, waitingWords } from '../model/waiting.ts';

/** When a reconnect's backfill leaves its stagger, counted down; nothing once it only waits for a slot. */
export function StartsAt({ backfill }: { readonly backfill: Pick<Backfill, 'state' | 'notBefore'> }) {
  const nowMs = useScreenNow();
  const leftMs = staggerLeftMs(backfill, nowMs);
  if (backfill.notBefore === null || leftMs === null) return null;
  return (
    <>
      starts at {formatClock(backfill.notBefore)} UTC, in {formatSpan(leftMs + 999)}
    </>
  );
}

/** What one that does not run waits for: its stagger first, whatever would hold it after that. */
export function WaitsFor({
  backfill,
}: {
  readonly backfill: Pick<Backfill, 'state' | 'notBefore' | 'effective'>;
}) {
  const nowMs = useScreenNow();
  return staggerLeftMs(backfill, nowMs) === null ? (
    waitingWords(backfill)
  ) : (
    <>
      waits out its stagger: <StartsAt backfill={backfill} />
    </>
  );
}
