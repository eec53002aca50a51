/** Pause, throttle-down and cancel at full speed: from the request to the last event that still reaches the stream. */

import { setTimeout as delay } from 'node:timers/promises';
import type { Receipt } from '@spillway/shared/api/backfill';
import {
  command,
  startBackfill,
  throttle,
  untilEffective,
  untilState,
} from '../../apps/api/test/system/backfills.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import type { StreamWatch } from '../../apps/api/test/system/stream-watch.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure, percentile } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';

const TRIALS = 50;
const LIMIT_MS = 250;
const THROTTLED_TO = 1_000;
/** Events that may be released at once at that rate: 20 ms of it. */
const BURST = 20;
/** Watched after a command: what comes later than this would be seen by the next trial's wait for silence. */
const WATCHED_MS = 700;
const FULL_SPEED = 5_000;

export async function commandsArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const witness = await system.witness('flights-replay');
  try {
    const replay = await witness.watch();
    const { id } = await startBackfill(system, { window: halfYear, limits: { share: 1 } });
    const pauses = await trials(() => pauseTrial(system, replay, id));
    const throttles = await trials(() => throttleTrial(system, replay, id));
    await command(system, id, 'cancel');
    await untilState(system, id, 'cancelled');
    const cancels = await trials(() => cancelTrial(system, replay));
    return [
      effect(
        'pause: request to effect, p99',
        pauses.map(({ effectMs }) => effectMs),
      ),
      effect(
        'throttle-down: request to effect, p99',
        throttles.map(({ effectMs }) => effectMs),
      ),
      effect(
        'cancel: request to effect, p99',
        cancels.map(({ effectMs }) => effectMs),
      ),
      figure(
        'receipts: request to effectiveAt, p99',
        percentile(
          [...pauses, ...throttles, ...cancels].map(({ receiptMs }) => receiptMs),
          0.99,
        ),
        'ms',
      ),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}

interface Trial {
  readonly effectMs: number;
  readonly receiptMs: number;
}

function effect(name: string, values: readonly number[]): Figure {
  return figure(
    name,
    percentile(values, 0.99),
    'ms',
    { atMost: LIMIT_MS },
    { trials: values.length, p50: percentile(values, 0.5), max: Math.max(...values) },
  );
}

async function trials(run: () => Promise<Trial>): Promise<Trial[]> {
  const done: Trial[] = [];
  for (let trial = 0; trial < TRIALS; trial++) done.push(await run());
  return done;
}

async function pauseTrial(system: StartedSystem, replay: StreamWatch, id: string): Promise<Trial> {
  await atFullSpeed(replay);
  const atMs = Date.now();
  const receipt = await command(system, id, 'pause');
  const trial = await lastEventAfter(system, replay, atMs, receipt);
  await untilState(system, id, ['paused']);
  await command(system, id, 'resume');
  return trial;
}

async function cancelTrial(system: StartedSystem, replay: StreamWatch): Promise<Trial> {
  const { id } = await startBackfill(system, { window: halfYear, limits: { share: 1 } });
  await atFullSpeed(replay);
  const atMs = Date.now();
  const receipt = await command(system, id, 'cancel');
  const trial = await lastEventAfter(system, replay, atMs, receipt);
  await untilState(system, id, ['cancelled']);
  return trial;
}

async function throttleTrial(system: StartedSystem, replay: StreamWatch, id: string): Promise<Trial> {
  await atFullSpeed(replay);
  const atMs = Date.now();
  const receipt = await throttle(system, id, { eventsPerSecond: THROTTLED_TO });
  await delay(WATCHED_MS);
  const effective = await untilEffective(system, receipt);
  const trial = {
    effectMs: lastExcess(replay, atMs) - atMs,
    receiptMs: Date.parse(effective.effectiveAt as string) - atMs,
  };
  await throttle(system, id, { eventsPerSecond: null });
  return trial;
}

/** The first moment from which on no more arrived than limit × time and a burst, whatever the end of the time looked at. */
function lastExcess(replay: StreamWatch, fromMs: number): number {
  const later = replay.arrivals().filter(({ atMs }) => atMs > fromMs);
  let heldSince = fromMs;
  for (let first = 0; first < later.length; first++) {
    let events = 0;
    const holds = later.slice(first).every(({ atMs, entries: more }) => {
      events += more;
      return events <= BURST + (THROTTLED_TO * (atMs - heldSince)) / 1000;
    });
    if (holds) return heldSince;
    heldSince = (later[first] as { atMs: number }).atMs;
  }
  return heldSince;
}

async function lastEventAfter(
  system: StartedSystem,
  replay: StreamWatch,
  atMs: number,
  receipt: Receipt,
): Promise<Trial> {
  await delay(WATCHED_MS);
  const effective = await untilEffective(system, receipt);
  return {
    effectMs: Math.max(0, replay.lastAtMs() - atMs),
    receiptMs: Date.parse(effective.effectiveAt as string) - atMs,
  };
}

async function atFullSpeed(replay: StreamWatch): Promise<void> {
  await until('full speed', () => replay.between(Date.now() - 500, Date.now()) > FULL_SPEED / 2);
  replay.forget();
  await delay(100 + Math.random() * 250);
}
