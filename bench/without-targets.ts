import { measuredSignals, type SignalTargets } from '@spillway/shared/api/governor';

/** Governor off: everything is shown, nothing governs. */
export function withoutTargets(signals: SignalTargets): SignalTargets {
  return Object.fromEntries(
    measuredSignals
      .filter((name) => signals[name] !== undefined)
      .map((name) => [name, { target: null, failMode: signals[name]?.failMode ?? 'bad' }]),
  );
}
