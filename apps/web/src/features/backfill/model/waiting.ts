import type { Backfill } from '@spillway/shared/api/backfill';
import { bindingWords, type Paced } from './ceilings.ts';
import { shortId } from './short-id.ts';

/** How long a reconnect's backfill still stays in its stagger, ms; null once it only waits for a slot. */
export function staggerLeftMs(
  { state, notBefore }: Pick<Backfill, 'state' | 'notBefore'>,
  nowMs: number,
): number | null {
  if (state !== 'queued' || notBefore === null) return null;
  const leftMs = Date.parse(notBefore) - nowMs;
  return leftMs > 0 ? leftMs : null;
}

/** What one that does not run waits for: the ceiling that holds it at zero, in its own words. Ids are shortened: fifty rows name the same three. */
export function waitingWords(backfill: Paced): string {
  const { effective } = backfill;
  const holding = effective.ceilings.find(({ reason }) => reason === effective.binding);
  return holding === undefined || holding.detail === ''
    ? bindingWords(backfill, null)
    : holding.detail.replace(/\bbf_\w+/g, shortId);
}
