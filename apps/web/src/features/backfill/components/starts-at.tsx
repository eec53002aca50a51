import type { Backfill } from '@spillway/shared/api/backfill';
import { formatSpan } from '../../../lib/format.ts';
import { formatClock } from '../../../lib/instant.ts';
import { useNow } from '../../../lib/use-now.ts';

/** When a reconnect's backfill leaves its stagger, counted down; nothing once it only waits for a slot. */
export function StartsAt({ backfill }: { readonly backfill: Pick<Backfill, 'state' | 'notBefore'> }) {
  const nowMs = useNow();
  if (backfill.state !== 'queued' || backfill.notBefore === null) return null;
  const leftMs = Date.parse(backfill.notBefore) - nowMs;
  if (leftMs <= 0) return null;
  return (
    <>
      starts at {formatClock(backfill.notBefore)} UTC, in {formatSpan(leftMs + 999)}
    </>
  );
}
