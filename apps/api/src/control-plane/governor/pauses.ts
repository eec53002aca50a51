import { pauseAlert } from '@spillway/shared/quote/stream-plan';
import type { AlertInputs } from '../alerts/review.ts';
import { type PipelineObservation, streamReport } from '../telemetry/observation.ts';
import { streamsOf } from '../telemetry/stages.ts';

/** The streams on which a pause runs out; gone as soon as what waits has been applied, or may stay longer. */
export function pausesOf(seen: PipelineObservation | null): NonNullable<AlertInputs['pauses']> {
  if (seen === null) return [];
  return streamsOf(seen).flatMap(({ name, safePausedForMs }) => {
    const retention = streamReport(seen, name)?.retention ?? { ms: null, entries: null, bytes: null };
    const alert = pauseAlert(safePausedForMs, retention);
    return alert === null ? [] : [{ stream: name, ...alert }];
  });
}
