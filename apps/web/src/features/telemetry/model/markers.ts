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
