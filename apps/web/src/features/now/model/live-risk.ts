import type { Alert } from '@spillway/shared/api/governor';
import type { LiveSnapshot, PipelineSnapshot } from '../../telemetry/model/live-store.ts';
import { decideVerdict } from './verdict.ts';

/** A pipeline that is judged, with its raised alerts; null: not read yet. */
export interface Judged {
  readonly id: string;
  readonly external: boolean;
  readonly alerts: readonly Alert[] | null;
}

/** Judged first is the one that the screen is about. */
export function ownFirst<Each extends { readonly id: string }>(
  pipelines: readonly Each[],
  own: string | undefined,
): readonly Each[] {
  return pipelines.toSorted((a, b) => Number(b.id === own) - Number(a.id === own));
}

/**
 * The first pipeline whose live path is at risk, by the sentence that Now says of it; null: none is known to be. While no telemetry arrives it is
 * what was known last: that nobody can look does not make it safe.
 */
export function liveAtRisk({ pipelines }: LiveSnapshot, judged: readonly Judged[]): string | null {
  return judged.find((each) => isAtRisk(pipelines[each.id], each))?.id ?? null;
}

/** Something is wrong that an alert may make a risk: only then are the alerts worth asking for. */
export function isSuspect(live: PipelineSnapshot | undefined): boolean {
  // Of an applier that stands the alert alone tells: what it does not measure is unknown.
  return (
    live?.governor?.signals.some(
      ({ verdict, failMode }) => verdict === 'breached' || (verdict === 'unknown' && failMode === 'bad'),
    ) ?? false
  );
}

function isAtRisk(live: PipelineSnapshot | undefined, { external, alerts }: Judged): boolean {
  if (live === undefined) return false;
  const { atMs, values, replay, stages, streams, governor } = live;
  const { level } = decideVerdict({
    external,
    stale: false,
    nowMs: atMs ?? 0,
    values,
    replay,
    stages,
    streams,
    governor,
    alerts: alerts ?? [],
    // Who replays changes the sentence, not how bad it is.
    backfills: null,
    replayPaused: false,
  });
  return level === 'risk';
}
