/**
 * Redis and PostgreSQL, one worker: what a user would write by hand, a bare INSERT of the same rows, and Spillway, on the same two servers in one run.
 *
 * Spillway's replay has a stream of its own, as the by-hand one has, and its capacity is set to twice what was done by hand: so that is not what
 * holds it. It is asked for in three ways. With the target of rest + 5 ms at twice the rate of by hand, which says what the governor leaves of it: of a month, which is over
 * in seconds and is half slow start, of another one when it knows the ground, and of a quarter. With the governor off (no targets, no headroom), at the very rate that was done
 * by hand, as an operator would ask for it; and at twice that, which is no limit here and says what the parts can do: that alone is held against a
 * bare INSERT, as by hand sends its own, a text, and prepared.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { appliedIn, readBackfill, startBackfill, untilState } from '../../apps/api/test/system/backfills.ts';
import { configurePipeline, readGovernor, readPipeline } from '../../apps/api/test/system/pipelines.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { bareInsert } from '../by-hand/bare-insert.ts';
import { environmentOf, type Servers, type ServersKind, startServers } from '../by-hand/servers.ts';
import { type Figure, figure } from '../figures.ts';
import { quietSystem } from '../flights.ts';
import { freshnessBetween, readFreshness } from '../freshness.ts';
import { lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';
import { watchStolenTime } from '../stolen-time.ts';
import { withoutTargets } from '../without-targets.ts';
import { storm } from './by-hand.ts';

const LIVE_EVENTS_PER_SECOND = 1_000;
const BARE_EVENTS = measured(500_000, 100_000);
const MONTH_DAYS = measured(31, 5);
const QUARTER_DAYS = measured(90, 10);
/** What a governor that gives little leaves of a quarter takes minutes. */
const LONGEST_RUN_MS = 600_000;
const REST_MS = measured(15_000, 5_000);
const SETTLE_MS = 3_000;
const ALLOWED_MS = 5;
const DAY_MS = 86_400_000;
/** Promised of by hand, and of bare `INSERT`s. */
const OF_BY_HAND = { atLeast: 0.8 };
const OF_BARE = { atLeast: 0.5 };
/** Into the replay, which at its fastest is over in twice that. */
const MIDDLE_MS = measured(3_000, 500);

export const serversArm = (): Promise<Figure[]> => onServersOf('unflushed');
export const durableServersArm = (): Promise<Figure[]> => onServersOf('durable');

async function onServersOf(kind: ServersKind): Promise<Figure[]> {
  const servers = await startServers(kind);
  try {
    const byHandFigures = await storm(servers, 'separate');
    const byHand = byHandFigures.find(({ name }) => name.endsWith(': replayed'))?.value ?? Number.NaN;
    const bare = await bareInsert(servers.postgresUrl, BARE_EVENTS, 'values');
    const unprepared = await bareInsert(servers.postgresUrl, BARE_EVENTS, 'unprepared');
    const quickest = await bareInsert(servers.postgresUrl, BARE_EVENTS, 'arrays');
    const bareByHand = await bareInsert(servers.postgresUrl, BARE_EVENTS, 'byHand');
    return [
      ...byHandFigures,
      figure('bare INSERT of the same rows', bare, 'events/s'),
      figure('bare INSERT of the same rows, not prepared', unprepared, 'events/s'),
      figure('bare INSERT from arrays of the same rows', quickest, 'events/s'),
      figure('bare INSERT of the same rows into the table of by hand', bareByHand, 'events/s'),
      figure('by hand: ÷ bare INSERT into its table', byHand / bareByHand, '×'),
      ...(await spillway(servers, { byHand, bare, unprepared, quickest, bareByHand })),
    ];
  } finally {
    await servers.stop();
  }
}

async function spillway(
  servers: Servers,
  compared: {
    readonly byHand: number;
    readonly bare: number;
    readonly unprepared: number;
    readonly quickest: number;
    readonly bareByHand: number;
  },
): Promise<Figure[]> {
  const system = await quietSystem({
    ...environmentOf(servers),
    SPILLWAY_DEMO_LIVE: String(LIVE_EVENTS_PER_SECOND),
  });
  try {
    const { signals, capacity } = await readPipeline(system);
    const limit = Math.round(compared.byHand * 2);
    await configurePipeline(system, { capacityEventsPerSecond: limit, replayShare: 1, headroom: 0 });
    await delay(SETTLE_MS);
    const stolen = watchStolenTime();
    const before = await readFreshness(system);
    await delay(REST_MS);
    const rest = freshnessBetween(before, await readFreshness(system));
    const stolenAtRest = stolen();

    const target = Math.floor((rest.p99 + ALLOWED_MS) * 10) / 10;
    await configurePipeline(system, {
      signals: { ...signals, liveFreshnessMsP99: { target, failMode: 'bad' } },
    });
    const governed = await replay(system, { number: 1, days: MONTH_DAYS, eventsPerSecond: limit });
    const governedAgain = await replay(system, { number: 2, days: MONTH_DAYS, eventsPerSecond: limit });
    const governedQuarter = await replay(system, { number: 3, days: QUARTER_DAYS, eventsPerSecond: limit });
    await configurePipeline(system, { signals: withoutTargets(signals) });
    const asByHand = await replay(system, {
      number: 4,
      days: MONTH_DAYS,
      eventsPerSecond: Math.round(compared.byHand),
    });
    const free = await replay(system, { number: 5, days: MONTH_DAYS, eventsPerSecond: limit });
    return [
      figure('servers: calibrated capacity', capacity.eventsPerSecond ?? Number.NaN, 'events/s'),
      figure('servers: live freshness p99 at rest', rest.p99, 'ms', null, {
        ...rest,
        stolenMs: stolenAtRest,
      }),
      ...[
        { name: `servers, target ${target} ms`, run: governed, ofByHand: OF_BY_HAND, ofBare: null },
        {
          name: `servers, target ${target} ms, again`,
          run: governedAgain,
          ofByHand: OF_BY_HAND,
          ofBare: null,
        },
        {
          name: `servers, target ${target} ms, a quarter`,
          run: governedQuarter,
          ofByHand: null,
          ofBare: null,
        },
        {
          name: 'servers, governor off, at the rate of by hand',
          run: asByHand,
          ofByHand: OF_BY_HAND,
          ofBare: null,
        },
        {
          name: 'servers, governor off, without a limit',
          run: free,
          ofByHand: OF_BY_HAND,
          ofBare: OF_BARE,
        },
      ].flatMap(({ name, run, ofByHand, ofBare }) => [
        figure(`${name}: source to applied`, run.eventsPerSecond, 'events/s', null, run.detail),
        figure(`${name}: ÷ by hand`, run.eventsPerSecond / compared.byHand, '×', ofByHand),
        figure(`${name}: ÷ bare INSERT`, run.eventsPerSecond / compared.bare, '×', ofBare),
        figure(
          `${name}: ÷ bare INSERT, not prepared`,
          run.eventsPerSecond / compared.unprepared,
          '×',
          ofBare,
        ),
        figure(`${name}: ÷ bare INSERT from arrays`, run.eventsPerSecond / compared.quickest, '×'),
        figure(
          `${name}: ÷ bare INSERT into the table of by hand`,
          run.eventsPerSecond / compared.bareByHand,
          '×',
        ),
        figure(
          `${name}: live freshness p99`,
          run.freshness.p99,
          'ms',
          { atMost: rest.p99 + ALLOWED_MS },
          run.freshness,
        ),
      ]),
    ];
  } finally {
    await system.remove();
  }
}

/** The first days of a lap of its own, from the request to the last event applied. */
async function replay(
  system: StartedSystem,
  asked: { readonly number: number; readonly days: number; readonly eventsPerSecond: number },
) {
  const { days, eventsPerSecond } = asked;
  await delay(SETTLE_MS);
  const { from } = lap(asked.number);
  const window = { from, to: new Date(Date.parse(from) + days * DAY_MS).toISOString() };
  const before = await readFreshness(system);
  const fromMs = performance.now();
  const stolen = watchStolenTime();
  const { id } = await startBackfill(system, { window, limits: { eventsPerSecond } });
  const [applied, inTheMiddle] = await Promise.all([
    untilState(system, id, ['verifying', 'completed'], LONGEST_RUN_MS).then((seen) => ({
      ...seen,
      atMs: performance.now(),
      stolenMs: stolen(),
    })),
    delay(MIDDLE_MS).then(() => binding(system, id)),
  ]);
  const seconds = (applied.atMs - fromMs) / 1000;
  const freshness = freshnessBetween(before, await readFreshness(system));
  const { items: ledger } = (await system.call('GET', `/v1/backfills/${id}/ledger`)).body;
  const ended = await untilState(system, id, 'completed');
  return {
    eventsPerSecond: appliedIn(applied) / seconds,
    freshness,
    detail: {
      seconds,
      stolenMs: applied.stolenMs,
      events: appliedIn(applied),
      verification: ended.verification.state,
      limit: eventsPerSecond,
      inTheMiddle,
      ledger,
    },
  };
}

/** What holds it just now, and every ceiling. */
async function binding(system: StartedSystem, id: string) {
  const { effective } = await readBackfill(system, id);
  const { ceilings } = await readGovernor(system);
  return { ...effective, ceilings };
}
