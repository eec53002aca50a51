/**
 * The frontier of a quote against reality: the same flights, each time in another lap, at three rates of it, three times at each, and each
 * time quoted anew with what has been learned by then. Finish time and peak of the stream against the quote, the middle one of the three: the machine decides how long the longest
 * pause of one run is. What each of them had stands beside it. And whether a lower rate costs the same in all and less at its peak. Then the other route: what was forecast of a shared
 * stream while replay had its own, and what one run on it did.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { FrontierPoint } from '@spillway/shared/api/quote';
import { pricePresets } from '@spillway/shared/cost/presets';
import { readBackfill } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline } from '../../apps/api/test/system/pipelines.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import type { StreamWatch } from '../../apps/api/test/system/stream-watch.ts';
import { type Figure, figure, median } from '../figures.ts';
import { type QuietSystem, quietSystem } from '../flights.ts';
import { freshnessBetween, readFreshness } from '../freshness.ts';
import { lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import { type Asked, amountOf, type EndedRun, quoteBackfill, runToEnd } from '../quoted-run.ts';

/** Of the fastest rate that is quoted. */
const PARTS = [0.12, 0.4, 0.8];
const DAYS = measured(27, 2);
/** At each rate. */
const RUNS = measured(3, 1);
const day = 86_400_000;

export async function frontierArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const witness = await system.witness('flights-replay');
  try {
    const stream = await witness.watch();
    await configurePipeline(system, { priceBook: pricePresets['example-cloud'] });
    const { frontier } = await quoteBackfill(system, askedIn(1));
    const fastest = frontier.at(-1)?.eventsPerSecond ?? Number.NaN;
    const rates = PARTS.map((part) => Math.round(part * fastest));
    // To learn from: at the rate in the middle.
    await runToEnd(system, askedIn(1, rates[1]));
    const rounds: Quoted[][] = [];
    // Round after round: an hour that is bad for the machine is not all of one rate's.
    for (let round = 0; round < RUNS; round++) {
      const runs: Quoted[] = [];
      for (const [index, rate] of rates.entries()) {
        const asked = askedIn(2 + round * rates.length + index, rate);
        const { frontier: points } = await quoteBackfill(system, asked);
        const quoted = points.find((point) => point.eventsPerSecond === rate);
        if (quoted === undefined)
          throw new Error(
            `${rate} events/s are not quoted any more: ${points.at(-1)?.eventsPerSecond} at most`,
          );
        runs.push({ quoted, seen: await watchedRun(system, stream, asked) });
      }
      rounds.push(runs);
    }
    return [
      ...rates.flatMap((rate, index) =>
        againstReality(
          rate,
          rounds.map((runs) => runs[index] as Quoted),
        ),
      ),
      ...cheaperWhenSlower(rounds[0] as Quoted[]),
      ...(await onSharedStream(system, askedIn(2 + RUNS * rates.length, rates[1]))),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}

function askedIn(number: number, eventsPerSecond: number | null = null): Asked {
  const { from } = lap(number);
  const to = new Date(Date.parse(from) + DAYS * day).toISOString();
  return { window: { from, to }, limits: { eventsPerSecond } };
}

interface Seen extends EndedRun {
  readonly longest: number;
  /** Money an hour in the busiest stretch. */
  readonly peakSpendPerHour: number;
}

interface Quoted {
  readonly quoted: FrontierPoint;
  readonly seen: Seen;
}

/** The log is metered once a second: shorter stretches would tell of that. */
const STRETCH_MS = 3_000;
const LOOK_EVERY_MS = 200;

async function watchedRun(system: StartedSystem, stream: StreamWatch, asked: Asked): Promise<Seen> {
  stream.forget();
  const ending = new AbortController();
  const run = runToEnd(system, asked).finally(() => ending.abort());
  // What it fails with is told where it is awaited, after the spending has been read.
  run.catch(() => undefined);
  const spends = await spendOf(system, ending.signal);
  const ended = await run;
  return {
    ...ended,
    longest: stream.longest(),
    peakSpendPerHour: busiestPerHour(spends),
  };
}

interface Spend {
  readonly atMs: number;
  readonly spent: number;
}

/** Of the one that runs. */
async function spendOf(system: StartedSystem, signal: AbortSignal): Promise<Spend[]> {
  const spends: Spend[] = [];
  let id: string | null = null;
  while (!signal.aborted) {
    id ??= (await system.call('GET', '/v1/backfills?state=running')).body.items[0]?.id ?? null;
    const metered = id === null ? null : (await readBackfill(system, id)).cost?.metered;
    if (metered) spends.push({ atMs: performance.now(), spent: amountOf(metered.spend) });
    await delay(LOOK_EVERY_MS);
  }
  return spends;
}

function busiestPerHour(spends: readonly Spend[]): number {
  let most = 0;
  let first = 0;
  for (const { atMs, spent } of spends) {
    while (atMs - (spends[first + 1]?.atMs ?? atMs) >= STRETCH_MS) first++;
    const start = spends[first] as Spend;
    if (atMs - start.atMs < STRETCH_MS) continue;
    most = Math.max(most, ((spent - start.spent) * 3_600_000) / (atMs - start.atMs));
  }
  return most;
}

function againstReality(eventsPerSecond: number, pairs: readonly Quoted[]): Figure[] {
  const name = (what: string) => `frontier at ${eventsPerSecond} events/s: ${what}`;
  const runs = pairs.map(({ quoted, seen: { seconds, longest, replayedSeconds, lost, stolenMs } }) => ({
    finish: seconds / quoted.durationSeconds,
    peak: longest / quoted.peakStreamLength,
    quoted: { seconds: quoted.durationSeconds, longest: quoted.peakStreamLength },
    ...{ seconds, replayedSeconds, longest, lost, stolenMs },
  }));
  return [
    figure(
      name('finish time, measured ÷ quoted'),
      median(runs.map(({ finish }) => finish)),
      '×',
      { atLeast: 0.85, atMost: 1.15 },
      { runs },
    ),
    figure(name('peak of the stream, measured ÷ quoted'), median(runs.map(({ peak }) => peak)), '×', {
      atLeast: 0.75,
      atMost: 1.25,
    }),
  ];
}

function cheaperWhenSlower(pairs: readonly Quoted[]): Figure[] {
  const quoted = pairs.map((pair) => pair.quoted);
  const seen = pairs.map((pair) => pair.seen);
  const [slow, fast] = [seen[0] as Seen, seen.at(-1) as Seen];
  const total = ({ metered }: Seen) => amountOf(metered.total);
  const detail = seen.map((run, index) => ({
    eventsPerSecond: quoted[index]?.eventsPerSecond,
    total: total(run),
    quotedTotal: amountOf(quoted[index]?.cost ?? { amount: 'NaN' }),
    peakSpendPerHour: run.peakSpendPerHour,
    quotedPeakSpendPerHour: amountOf(quoted[index]?.peakSpendPerHour ?? { amount: 'NaN' }),
    items: Object.fromEntries(run.metered.items.map(({ item, total: one }) => [item, one?.amount ?? null])),
  }));
  return [
    figure(
      'slowest ÷ fastest rate: total',
      total(slow) / total(fast),
      '×',
      { atLeast: 0.85, atMost: 1.15 },
      detail,
    ),
    figure(
      'slowest ÷ fastest rate: peak spend per hour',
      slow.peakSpendPerHour / fast.peakSpendPerHour,
      '×',
      { atMost: 0.9 },
      {
        ofRates: (quoted[0]?.eventsPerSecond ?? Number.NaN) / (quoted.at(-1)?.eventsPerSecond ?? Number.NaN),
      },
    ),
  ];
}

/** Live freshness is forecast at its worst: p99 is held to at most that. */
async function onSharedStream(system: QuietSystem, asked: Asked): Promise<Figure[]> {
  const { shared, separate } = (await quoteBackfill(system, asked)).route;
  if (shared === null || separate === null) throw new Error('the quote says nothing of the routes');
  await configurePipeline(system, {
    route: { kind: 'shared', decision: 'To see whether its forecast holds.' },
  });
  const witness = await system.witness('flights-live');
  try {
    const stream = await witness.watch();
    const before = await readFreshness(system);
    const { seconds, lost } = await runToEnd(system, asked);
    const freshness = freshnessBetween(before, await readFreshness(system));
    const longest = stream.longest();
    const name = (what: string) => `shared stream: ${what}`;
    const detail = { shared, separate, seconds, lost, longest, freshness };
    return [
      figure(
        name('finish time, measured ÷ forecast'),
        seconds / (shared.durationSeconds ?? Number.NaN),
        '×',
        { atLeast: 0.85, atMost: 1.15 },
        detail,
      ),
      // The most that may wait: well below what the applier takes it commits sooner, and less does.
      figure(name('peak of the stream, measured ÷ forecast'), longest / shared.peakStreamLength, '×', {
        atLeast: 0.5,
        atMost: 1.25,
      }),
      figure(
        name('live freshness p99, measured ÷ forecast at its worst'),
        freshness.p99 / (shared.liveFreshnessMs ?? Number.NaN),
        '×',
        { atMost: 1 },
      ),
    ];
  } finally {
    await witness.close();
  }
}
