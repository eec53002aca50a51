/** Pause, throttle-down and cancel at full speed: from the request to the last event that still reaches the stream. */
import type { Receipt } from '@spillway/shared/api/backfill';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { type Figure, figure, percentile } from '../figures.ts';
import {
  cancel,
  halfYear,
  pause,
  quietSystem,
  start,
  until,
  untilEffective,
  untilState,
} from '../flights.ts';
import { type StreamTap, tapStream } from '../stream-tap.ts';

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
  const tap = await tapStream(system.dataDir, 'flights-replay');
  try {
    const { id } = await start(system, { window: halfYear, limits: { share: 1 } });
    const pauses = await trials(() => pauseTrial(system, tap, id));
    const throttles = await trials(() => throttleTrial(system, tap, id));
    await cancel(system, id);
    const cancels = await trials(() => cancelTrial(system, tap));
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
    await tap.close();
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

async function pauseTrial(system: StartedSystem, tap: StreamTap, id: string): Promise<Trial> {
  await atFullSpeed(tap);
  const atMs = Date.now();
  const receipt = await command(system, `/v1/backfills/${id}/pause`);
  const trial = await lastEventAfter(system, tap, atMs, receipt);
  await untilState(system, id, ['paused']);
  await command(system, `/v1/backfills/${id}/resume`);
  return trial;
}

async function cancelTrial(system: StartedSystem, tap: StreamTap): Promise<Trial> {
  const { id } = await start(system, { window: halfYear, limits: { share: 1 } });
  await atFullSpeed(tap);
  const atMs = Date.now();
  const receipt = await command(system, `/v1/backfills/${id}/cancel`);
  const trial = await lastEventAfter(system, tap, atMs, receipt);
  await untilState(system, id, ['cancelled']);
  return trial;
}

async function throttleTrial(system: StartedSystem, tap: StreamTap, id: string): Promise<Trial> {
  await atFullSpeed(tap);
  const atMs = Date.now();
  const { receipt } = await patch(system, id, { eventsPerSecond: THROTTLED_TO });
  await pause(WATCHED_MS);
  const effective = await untilEffective(system, receipt);
  const trial = {
    effectMs: lastExcess(tap, atMs) - atMs,
    receiptMs: Date.parse(effective.effectiveAt as string) - atMs,
  };
  await patch(system, id, { eventsPerSecond: null });
  return trial;
}

/** The first moment from which on no more arrived than limit × time and a burst, whatever the end of the time looked at. */
function lastExcess(tap: StreamTap, fromMs: number): number {
  const later = tap.arrivals.filter(({ atMs }) => atMs > fromMs);
  let heldSince = fromMs;
  for (let first = 0; first < later.length; first++) {
    let events = 0;
    const holds = later.slice(first).every(({ atMs, events: more }) => {
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
  tap: StreamTap,
  atMs: number,
  receipt: Receipt,
): Promise<Trial> {
  await pause(WATCHED_MS);
  const effective = await untilEffective(system, receipt);
  return {
    effectMs: Math.max(0, tap.lastAtMs() - atMs),
    receiptMs: Date.parse(effective.effectiveAt as string) - atMs,
  };
}

async function atFullSpeed(tap: StreamTap): Promise<void> {
  await until('full speed', async () => tap.between(Date.now() - 500, Date.now()) > FULL_SPEED / 2);
  tap.forget();
  await pause(100 + Math.random() * 250);
}

async function command(system: StartedSystem, path: string): Promise<Receipt> {
  const { status, body } = await system.call('POST', path, { reason: 'bench' });
  if (status !== 202) throw new Error(`${path}: ${status} ${JSON.stringify(body)}`);
  return body;
}

export async function patch(
  system: StartedSystem,
  id: string,
  limits: Record<string, unknown>,
): Promise<{ receipt: Receipt }> {
  const { headers } = await system.call('GET', `/v1/backfills/${id}`);
  const answer = await system.call('PATCH', `/v1/backfills/${id}/limits`, limits, {
    'if-match': headers.get('etag') ?? '',
  });
  if (answer.status >= 300) throw new Error(`limits: ${answer.status} ${JSON.stringify(answer.body)}`);
  return { receipt: answer.body.receipt ?? answer.body };
}
