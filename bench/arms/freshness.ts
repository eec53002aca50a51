/**
 * What a replay asked for with no limit does to live, and what the protection costs: with the governor off, with the demo's own
 * target, at rest, with a target as an admin would set it, at rest again, and off again. The machine drifts and the store grows: so rest is
 * both times around the run that is compared with it, and the kept part is of the mean of both runs without a governor.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { configurePipeline, readPipeline } from '../../apps/api/test/system/pipelines.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { type Figure, figure, percentile } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import {
  type Freshness,
  type FreshnessCounts,
  freshnessBetween,
  readFreshness,
  together,
} from '../freshness.ts';
import { lap, type MeasuredReplay, measureReplay } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import { watchStolenTime } from '../stolen-time.ts';
import { withoutTargets } from '../without-targets.ts';

const LIVE_EVENTS_PER_SECOND = 1_000;
/** A look every other millisecond takes a tenth of a core: what is measured would be the witness. */
const WITNESS_EVERY_MS = 5;
const SETTLE_MS = 3_000;
const REST_MS = measured(15_000, 5_000);
const RUN_MS = measured(40_000, 10_000);
/** What live freshness may lose, ms. */
const allowance = { separate: 10, shared: 30 } as const;
const aim = { separate: 1.25, shared: 2 } as const;

type Route = 'separate' | 'shared';

export const freshnessArm = () => measureRoute('separate');
export const sharedFreshnessArm = () => measureRoute('shared');

async function measureRoute(route: Route): Promise<Figure[]> {
  const system = await quietSystem({ SPILLWAY_DEMO_LIVE: String(LIVE_EVENTS_PER_SECOND) });
  const witness = await system.witness('flights-live');
  try {
    if (route === 'shared')
      await configurePipeline(system, {
        route: { kind: 'shared', decision: 'To measure what it costs live.' },
      });
    const { signals, headroom } = await readPipeline(system);
    const live = await witness.watch(WITNESS_EVERY_MS);
    // Two laps each: a quick machine replays one in less time.
    const run = (number: number) =>
      measureReplay(system, {
        window: { from: lap(2 * number - 1).from, to: lap(2 * number).to },
        forMs: RUN_MS,
      });
    const off = () => configurePipeline(system, { signals: withoutTargets(signals), headroom: 0 });

    await off();
    const offBefore = await run(1);
    await configurePipeline(system, { signals, headroom });
    const byDefault = await run(2);
    const restBefore = await atRest(system);
    // In whole milliseconds, and none more than is allowed.
    const target = Math.floor(restBefore.p99 + allowance[route]);
    await configurePipeline(system, {
      signals: { ...signals, liveFreshnessMsP99: { target, failMode: 'bad' } },
    });
    const governed = await run(3);
    const restAfter = await atRest(system);
    await off();
    const offAfter = await run(4);
    const rest = together([restBefore, restAfter]);

    const offEventsPerSecond = (offBefore.eventsPerSecond + offAfter.eventsPerSecond) / 2;
    // On a shared stream the witness cannot tell live entries from replay.
    const seen = ({ from, to }: Pick<MeasuredReplay, 'from' | 'to'>) =>
      route === 'shared' ? undefined : percentile(live.waits(from, to), 0.99);
    const name = (what: string) => `${route} stream: ${what}`;
    return [
      figure(name('live freshness p99 at rest'), rest.p99, 'ms', null, {
        ...rest,
        ...{ before: restBefore.p99, after: restAfter.p99, witness: seen(restBefore) },
        stolenMs: { before: restBefore.stolenMs, after: restAfter.stolenMs },
      }),
      ...replayFigures(name(`target ${target} ms`), rest, governed, offEventsPerSecond, {
        atMost: rest.p99 + allowance[route],
        aim: aim[route],
        witness: seen(governed),
      }),
      ...replayFigures(
        name(`the demo's target of ${signals.liveFreshnessMsP99?.target} ms`),
        rest,
        byDefault,
        offEventsPerSecond,
        { witness: seen(byDefault) },
      ),
      ...[offBefore, offAfter].map((run) =>
        figure(name('governor off: live freshness p99'), run.freshness.p99, 'ms', null, {
          ...run.freshness,
          eventsPerSecond: run.eventsPerSecond,
          witness: seen(run),
          detail: run.detail,
        }),
      ),
    ];
  } finally {
    await witness.close();
    await system.remove();
  }
}

interface Rest extends Freshness {
  readonly stolenMs: number | null;
  readonly from: number;
  readonly to: number;
  readonly before: FreshnessCounts;
  readonly after: FreshnessCounts;
}

async function atRest(system: StartedSystem): Promise<Rest> {
  await delay(SETTLE_MS);
  const from = Date.now();
  const stolen = watchStolenTime();
  const before = await readFreshness(system);
  await delay(REST_MS);
  const after = await readFreshness(system);
  const stolenMs = stolen();
  return { ...freshnessBetween(before, after), from, to: Date.now(), before, after, stolenMs };
}

function replayFigures(
  name: string,
  rest: Freshness,
  run: MeasuredReplay,
  offEventsPerSecond: number,
  options: { readonly atMost?: number; readonly aim?: number; readonly witness: number | undefined },
): Figure[] {
  const { freshness, steadyFreshness, eventsPerSecond, detail } = run;
  const promised = options.atMost !== undefined;
  return [
    figure(
      `${name}: live freshness p99 during a replay without limit`,
      freshness.p99,
      'ms',
      promised ? { atMost: options.atMost as number } : null,
      { ...freshness, withoutItsBeginning: steadyFreshness, witness: options.witness, detail },
    ),
    figure(`${name}: p99 during ÷ at rest`, freshness.p99 / rest.p99, '×', null, { aimedAt: options.aim }),
    figure(`${name}: p50 during ÷ at rest`, freshness.p50 / rest.p50, '×'),
    figure(`${name}: replay`, eventsPerSecond, 'events/s'),
    figure(
      `${name}: replay kept ÷ governor off`,
      eventsPerSecond / offEventsPerSecond,
      '×',
      promised ? { atLeast: 0.5 } : null,
    ),
  ];
}
