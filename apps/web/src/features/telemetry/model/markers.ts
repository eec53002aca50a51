import { plainTimes } from '../../../lib/instant.ts';
import { shortId } from '../../backfill/model/short-id.ts';
import type { MarkerEntry } from './live-store.ts';

const verbs: Readonly<Record<string, string>> = {
  'backfill.start': 'started',
  'backfill.throttle': 'throttled',
  'backfill.pause': 'paused',
  'backfill.resume': 'resumed',
  'backfill.cancel': 'cancelled',
  'backfill.retry': 'retried',
  'pipeline.pause_replay': 'paused all replay',
  'pipeline.resume_replay': 'resumed replay',
  'pipeline.configure': 'changed the pipeline’s settings',
  'pipeline.drill': 'started a fire drill',
  'probe.create': 'added a probe',
  'probe.delete': 'deleted a probe',
  'source.disconnect': 'disconnected a source',
  'source.reconnect': 'reconnected a source',
};

/** "mira throttled bf_12 → 2,000 events/s", "mira paused bf_12: store is slow". An action this page does not know is shown by its name. */
export function describeMarker(marker: MarkerEntry): string {
  const target = marker.backfillId === null ? '' : ` ${shortId(marker.backfillId)}`;
  const detail =
    marker.detail === null || marker.detail === ''
      ? ''
      : marker.detail.startsWith('→')
        ? ` ${marker.detail}`
        : `: ${plainTimes(marker.detail)}`;
  return `${marker.actor} ${verbs[marker.action] ?? marker.action}${target}${detail}`;
}
