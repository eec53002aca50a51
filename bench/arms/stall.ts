/**
 * The store really stands still while a replay without limit runs: how long the stream gets, when the reader stops, and when all is as
 * it was. Once for 20 s as the demo is, where the governor may stop the reader before the stream is full; and once with the governor off
 * and a mark that full speed reaches in less than a second: there the reader's own gate must, which needs nobody's leave.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../../apps/api/test/system/backfills.ts';
import {
  configurePipeline,
  readDrill,
  readPipeline,
  startDrill,
} from '../../apps/api/test/system/pipelines.ts';
import type { StreamWatch } from '../../apps/api/test/system/stream-watch.ts';
import { until } from '../../apps/api/test/system/until.ts';
import { type Figure, figure, median } from '../figures.ts';
import { type QuietSystem, quietSystem } from '../flights.ts';
import { endReplay, lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';

const STALL_MS = measured(20_000, 6_000);
const SHORT_STALL_MS = 5_000;
const LOW_MARK = 10_000;
const BATCH = 1_000;
const WARM_MS = measured(12_000, 8_000);
/** The rate before is the median of as many seconds. */
const SECONDS_BEFORE = 5;
const BACK_LIMIT_MS = 30_000;

export async function stallArm(): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: '1000' });
  const witness = await system.witness('flights-replay');
  try {
    const replay = await witness.watch();
    const { highWaterMark } = await readPipeline(system);
    const long = await stallOnce(system, replay, { window: lap(1), forMs: STALL_MS, highWaterMark });
    await configurePipeline(system, {
      highWaterMark: LOW_MARK,
      headroom: 0,
      signals: { liveFreshnessMsP99: { target: null, failMode: 'bad' } },
    });
    const short = await stallOnce(system, replay, {
      window: lap(2),
      forMs: SHORT_STALL_MS,
      highWaterMark: LOW_MARK,
    });
    return [...stallFigures(long), ...stallFigures(short)];
  } finally {
    await witness.close();
    await system.remove();
  }
}

interface Stall {
  readonly forMs: number;
  readonly highWaterMark: number;
  readonly longest: number;
  /** Null: the stream never reached its mark. */
  readonly stoppedAfterMarkMs: number | null;
  readonly stoppedAfterStallMs: number;
  readonly eventsPerSecondBefore: number;
  /** Null: not within the time it was watched. */
  readonly backAfterMs: number | null;
  readonly report: unknown;
}

async function stallOnce(
  system: QuietSystem,
  replay: StreamWatch,
  {
    window,
    forMs,
    highWaterMark,
  }: { window: { from: string; to: string }; forMs: number; highWaterMark: number },
): Promise<Stall> {
  const { id } = await startBackfill(system, { window, limits: { share: 1 } });
  await delay(WARM_MS);
  const drill = await startDrill(system, forMs);
  const stalled = await until('the store to stall', async () => {
    const seen = await readDrill(system, drill.id);
    return seen.stalledAt !== null && seen;
  });
  const stalledAt = Date.parse(stalled.stalledAt as string);
  const eventsPerSecondBefore = rateBefore(replay, stalledAt);
  const released = await until('the store to be released', async () => {
    const seen = await readDrill(system, drill.id);
    return seen.releasedAt !== null && seen;
  });
  const releasedAt = Date.parse(released.releasedAt as string);
  const back = () => backAt(replay, releasedAt, eventsPerSecondBefore * 0.9);
  await until('the replay to be back', () => back() !== null || Date.now() > releasedAt + BACK_LIMIT_MS);
  const ended = await until(
    'the end of the drill',
    async () => {
      const seen = await readDrill(system, drill.id);
      return ['finished', 'failed'].includes(seen.state) && seen;
    },
    { patienceMs: 90_000 },
  ).catch((error: unknown) => String(error));
  const backAtMs = back();
  const seen = { ...stopOf(replay, stalledAt, releasedAt, highWaterMark) };
  await endReplay(system, id);
  replay.forget();
  return {
    forMs,
    highWaterMark,
    ...seen,
    eventsPerSecondBefore,
    backAfterMs: backAtMs === null ? null : backAtMs - releasedAt,
    report: ended,
  };
}

function rateBefore(replay: StreamWatch, atMs: number): number {
  const seconds = Array.from({ length: SECONDS_BEFORE }, (_, second) =>
    replay.between(atMs - (second + 1) * 1_000, atMs - second * 1_000),
  );
  return median(seconds);
}

function stopOf(replay: StreamWatch, stalledAt: number, releasedAt: number, mark: number) {
  const during = replay.arrivals().filter(({ atMs }) => atMs >= stalledAt && atMs < releasedAt);
  const last = during.at(-1)?.atMs ?? stalledAt;
  const reached = replay.looks.find(({ atMs, length }) => atMs >= stalledAt && length >= mark)?.atMs;
  return {
    longest: replay.longest(stalledAt, releasedAt),
    stoppedAfterMarkMs: reached === undefined || reached >= releasedAt ? null : Math.max(0, last - reached),
    stoppedAfterStallMs: last - stalledAt,
  };
}

/** The end of the first second after `fromMs` in which as many arrived. */
function backAt(replay: StreamWatch, fromMs: number, eventsPerSecond: number): number | null {
  for (const { atMs } of replay.arrivals())
    if (atMs >= fromMs + 1_000 && replay.between(atMs - 1_000, atMs + 1) >= eventsPerSecond) return atMs;
  return null;
}

function stallFigures(stall: Stall): Figure[] {
  const name = (what: string) =>
    `store stalled for ${stall.forMs / 1000} s, high-water mark ${stall.highWaterMark}: ${what}`;
  const { report, stoppedAfterMarkMs, backAfterMs } = stall;
  return [
    figure(
      name('longest replay stream'),
      stall.longest,
      'entries',
      { atMost: stall.highWaterMark + BATCH },
      report,
    ),
    stoppedAfterMarkMs === null
      ? figure(name('reader stopped before the mark, after the stall'), stall.stoppedAfterStallMs, 'ms')
      : figure(
          name('reader stopped, after the mark'),
          stoppedAfterMarkMs,
          'ms',
          { atMost: 250 },
          { afterStallMs: stall.stoppedAfterStallMs },
        ),
    figure(
      name('release to the end of the first second at 90 % of the rate before'),
      backAfterMs === null ? Number.NaN : backAfterMs / 1000,
      's',
      { atMost: 5 },
      { eventsPerSecondBefore: stall.eventsPerSecondBefore },
    ),
  ];
}
