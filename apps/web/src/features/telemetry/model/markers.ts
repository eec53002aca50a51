import { plainTimes } from '../../../lib/instant.ts';
import { verbOf } from '../../audit/model/action-words.ts';
import { shortId } from '../../backfill/model/short-id.ts';
import type { MarkerEntry } from './live-store.ts';

/** "mira throttled bf_12 → 2,000 events/s", "mira paused bf_12: store is slow". An action this page does not know is shown by its name. */
export function describeMarker(marker: MarkerEntry): string {
  const target = marker.backfillId === null ? '' : ` ${shortId(marker.backfillId)}`;
  const detail =
    marker.detail === null || marker.detail === ''
      ? ''
      : marker.detail.startsWith('→')
        ? ` ${marker.detail}`
        : `: ${plainTimes(marker.detail)}`;
  return `${marker.actor} ${verbOf(marker.action)}${target}${detail}`;
}

/**
 * Who made the change that a stale edit has met, as far as it is known. Only what is newer than the edit can have come in between; where
 * that was the work of several, whose change it met is not known, and nobody is named rather than the wrong one.
 *
 * `sinceMs`: when the edit began, epoch ms by the server's clock; null: not known.
 */
export function changedBy(
  markers: readonly MarkerEntry[],
  sinceMs: number | null,
  isSuch: (marker: MarkerEntry) => boolean,
): MarkerEntry | undefined {
  if (sinceMs === null) return undefined;
  const between = markers.filter((marker) => isSuch(marker) && Date.parse(marker.at) > sinceMs);
  return new Set(between.map(({ actor }) => actor)).size === 1 ? between.at(-1) : undefined;
}
