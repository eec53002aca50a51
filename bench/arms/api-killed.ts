/**
 * The api is dead for 30 s while a replay runs, and killed again whenever it comes back: does the reader keep to what it was last
 * granted, and end by itself; does live go on; is anything missing afterwards?
 */
import { setTimeout as delay } from 'node:timers/promises';
import { grantValidMs, leaseMs } from '@spillway/shared/api/worker-protocol';
import { startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { pidsOf } from '../../apps/api/test/system/roles.ts';
import { type StartedSystem, signal } from '../../apps/api/test/system/started-system.ts';
import type { StreamWatch } from '../../apps/api/test/system/stream-watch.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';

const DOWN_MS = measured(30_000, 15_000);
const GRANTED = 5_000;
/** Of the grant: what a reader may go on with when it is not renewed, until the lease ends. */
const SAFE_PART = 0.1;
/** A push on its way when the api dies, and the look of the witness. */
const LATE_MS = 250;
/** Twelve days: longer at that rate than it takes to look. */
const window = { from: '2001-02-01T00:00:00Z', to: '2001-02-13T00:00:00Z' };

export async function apiKilledArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '1000' });
  const streams = {
    replay: await system.witness('flights-replay'),
    live: await system.witness('flights-live'),
  };
  try {
    const replay = await streams.replay.watch();
    const live = await streams.live.watch();
    const { id } = await startBackfill(system, { window, limits: { eventsPerSecond: GRANTED } });
    await until('the rate', () => replay.between(Date.now() - 2_000, Date.now()) > GRANTED * 2 * 0.9);
    const downFrom = Date.now();
    const kills = await keepDown(system, downFrom + DOWN_MS);
    const backFrom = downFrom + DOWN_MS;
    const done = await untilState(answering(system), id, 'completed', 150_000);
    const { eventsExpected, eventsApplied } = done.progress;

    const validUntil = downFrom + grantValidMs + LATE_MS;
    const leaseEnd = downFrom + leaseMs + LATE_MS;
    const safe = replay.between(validUntil, leaseEnd) / ((leaseEnd - validUntil) / 1000);
    return [
      // Exact, not roughly so: what surely arrived within a second is counted, and no second holds more than the rate.
      figure(
        'api killed: replay in any second ÷ the last grant',
        replay.busiest(1_000, downFrom, backFrom) / GRANTED,
        '×',
        { atMost: 1 },
        { kills },
      ),
      figure(
        'api killed: replay after the grant ran out ÷ the safe rate',
        safe / (GRANTED * SAFE_PART),
        '×',
        { atMost: 1 },
        { eventsPerSecond: safe },
      ),
      figure(
        'api killed: replay after the end of the leases',
        replay.between(leaseEnd, backFrom),
        'entries',
        { atMost: 0 },
      ),
      figure(
        'api killed: events lost',
        // Inserted, each of them once: the window was empty before.
        (eventsExpected ?? Number.NaN) - (eventsApplied ?? Number.NaN),
        'events',
        { atMost: 0 },
        { ...done.progress, verification: done.verification.state },
      ),
      figure(
        'api killed: longest silence of the live stream',
        longestSilence(live, downFrom, backFrom),
        'ms',
        {
          atMost: 1_000,
        },
      ),
    ];
  } finally {
    await streams.replay.close();
    await streams.live.close();
    await system.remove();
  }
}

/** How often it was killed. */
async function keepDown(system: StartedSystem, untilMs: number): Promise<number> {
  const killed = new Set<number>();
  while (Date.now() < untilMs) {
    for (const pid of pidsOf(system, 'api')) {
      signal(pid, 'SIGKILL');
      killed.add(pid);
    }
    await delay(20);
  }
  return killed.size;
}

/** Asked again while nobody answers. */
function answering(system: StartedSystem): Pick<StartedSystem, 'call'> {
  return {
    call: (...request) =>
      until('an answer', () =>
        system.call(...request).then(
          (answer) => answer.status < 500 && answer,
          () => null,
        ),
      ),
  };
}

function longestSilence(live: StreamWatch, fromMs: number, toMs: number): number {
  let lastMs = fromMs;
  let longest = 0;
  for (const { atMs } of [...live.arrivals(), { atMs: toMs }]) {
    if (atMs < fromMs || atMs > toMs) continue;
    longest = Math.max(longest, atMs - lastMs);
    lastMs = atMs;
  }
  return longest;
}
