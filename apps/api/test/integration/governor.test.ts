/** The loop on hand-fed reports, in virtual time: what the guard sees reaches the grants, and everyone can read why. */
import type { Lease } from '@spillway/shared/api/worker-protocol';
import { eq } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { readBackfill, readLedger } from '../../src/control-plane/backfill/queries.ts';
import type { ProbeSignal } from '../../src/control-plane/context.ts';
import { backfills } from '../../src/control-plane/database/schema.ts';
import { Ledger } from '../../src/control-plane/governor/ledger.ts';
import { readGovernor } from '../../src/control-plane/governor/looks.ts';
import { startGovernor } from '../../src/control-plane/governor/loop.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { type Core, type CoreOptions, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { type ApplyReport, emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

let database: ControlDatabase;
const opened: Core[] = [];

beforeAll(async () => {
  database = await startControlDatabase();
});
afterEach(async () => {
  for (const core of opened.splice(0)) await core.close();
});
afterAll(() => database.end());

/** What the workers see for the next quarter of a second. */
interface Sight {
  readonly liveEventsPerSecond?: number;
  readonly replayEventsPerSecond?: number;
  readonly liveLagMs?: number | null;
  readonly freshnessMsP99?: number | null;
  readonly silentMs?: number;
  readonly replayStreamLength?: number;
  readonly cacheHitRatio?: number | null;
}

class Pipeline {
  readonly core: Core;
  /** That go on ticking. */
  readonly workers: string[] = [];
  readonly #counts = { live: 0, replay: 0, published: 0 };

  constructor(core: Core) {
    this.core = core;
    this.report({});
  }

  report(sight: Sight): void {
    const { ctx, pipelineId } = this.core;
    const counts = this.#counts;
    counts.live += (sight.liveEventsPerSecond ?? 0) / 4;
    counts.replay += (sight.replayEventsPerSecond ?? 0) / 4;
    counts.published += (sight.replayEventsPerSecond ?? 0) / 4;
    const { freshnessMsP99 = null, cacheHitRatio = null, silentMs = 0, liveLagMs = 0 } = sight;
    const apply: ApplyReport = {
      ...emptyApply,
      freshnessMsP99,
      store: { ...emptyApply.store, silentMs, cacheHitRatio },
      liveEventsApplied: counts.live,
      replayEventsApplied: counts.replay,
      streams: [
        emptyStream(`${pipelineId}-live`, { lagMs: liveLagMs, eventsApplied: counts.live }),
        emptyStream(`${pipelineId}-replay`, {
          length: sight.replayStreamLength ?? 0,
          eventsApplied: counts.replay,
        }),
      ],
    };
    ctx.telemetry.observeTick('wk_apply_1', 'apply', { ...quietTick, apply });
    const stage = { busyRatio: 0, blockedRatio: 0, idleRatio: 1 };
    ctx.telemetry.observeTick('wk_replay_1', 'replay', {
      ...quietTick,
      replay: { eventsPublished: counts.published, stage, gates: [] },
    });
  }

  /** So many seconds of the same sight, four reports and passes each. */
  async see(sight: Sight, seconds = 1): Promise<void> {
    for (let quarter = 0; quarter < seconds * 4; quarter++) {
      this.core.forward(250);
      this.report(sight);
      if (quarter % 4 === 0) for (const worker of this.workers) await this.core.tick(worker);
      await this.core.pass();
    }
  }

  view() {
    return readGovernor(this.core.ctx, this.core.pipelineId);
  }
}

const freshness = (target: number | null) => ({
  liveFreshnessMsP99: { target, failMode: 'bad' as const },
});

async function open(pipeline: CoreOptions['pipeline'] = {}, options: CoreOptions = {}): Promise<Pipeline> {
  const core = await openCore(database.url, {
    healthyApplier: false,
    stillClock: true,
    pipeline: { headroom: 0.1, replayFloor: 0.02, ...pipeline },
    ...options,
  });
  opened.push(core);
  return new Pipeline(core);
}

/** A backfill under way, with its leases. */
async function replaying(
  pipeline: Pipeline,
  limits = {},
): Promise<{ id: string; worker: string; leases: readonly Lease[] }> {
  const { core } = pipeline;
  const worker = await core.join();
  pipeline.workers.push(worker);
  const { id } = await core.start({ limits });
  await pipeline.see({ liveEventsPerSecond: 1_000 });
  const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
  core.pushed(worker);
  return { id, worker, leases };
}

const effectiveOf = async (pipeline: Pipeline, id: string) =>
  (await readBackfill(pipeline.core.ctx, operator, id)).effective;
const ceiling = (effective: Awaited<ReturnType<typeof effectiveOf>>, reason: string) =>
  effective.ceilings.find((one) => one.reason === reason);

/** What a worker's leases may use after what was pushed to it. */
function grantsPushed(core: Core, worker: string): number | null {
  const last = new Map<string, number>();
  for (const push of core.pushed(worker))
    if (push.type === 'grants')
      for (const grant of push.grants) last.set(grant.leaseId, grant.eventsPerSecond);
  return last.size === 0 ? null : [...last.values()].reduce((total, rate) => total + rate, 0);
}

describe('live first', () => {
  test('replay yields in the pass that sees live rise, down to the floor', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { id, worker } = await replaying(pipeline);
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 5_000, binding: 'share' });

    await pipeline.see({ liveEventsPerSecond: 8_500 }, 2);
    const yielded = await effectiveOf(pipeline, id);
    expect(yielded).toMatchObject({ eventsPerSecond: 500, binding: 'live_first' });
    expect(ceiling(yielded, 'live_first')?.detail).toBe(
      '10000 events/s of capacity, less 8500 of live and 1000 of headroom',
    );
    expect(grantsPushed(core, worker)).toBe(500);

    await pipeline.see({ liveEventsPerSecond: 9_900 }, 2);
    const floored = await effectiveOf(pipeline, id);
    expect(floored).toMatchObject({ eventsPerSecond: 200, binding: 'live_first' });
    expect(ceiling(floored, 'live_first')?.detail).toContain('raised to the floor of 200 events/s');
    expect(grantsPushed(core, worker)).toBe(200);
  });

  test('two backfills share what live leaves', async () => {
    const pipeline = await open();
    const first = await replaying(pipeline);
    const second = await pipeline.core.start({});
    await pipeline.see({ liveEventsPerSecond: 8_000 }, 2);
    const rates = await Promise.all([first.id, second.id].map((id) => effectiveOf(pipeline, id)));
    expect(rates.map(({ eventsPerSecond, binding }) => [eventsPerSecond, binding])).toEqual([
      [500, 'live_first'],
      [500, 'live_first'],
    ]);
  });

  test('a live rate that nobody knows leaves the floor alone', async () => {
    const pipeline = await open();
    await pipeline.core.join();
    const { id } = await pipeline.core.start({});
    // The first report of an applier: a rate needs two.
    await pipeline.core.pass();
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 200, binding: 'live_first' });
  });
});

describe('grants', () => {
  test('of a governor that looks no more run out, though ticks are answered', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { worker, leases } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    const granted = async () => {
      const { leases: answers } = await core.tick(
        worker,
        leases.map((lease) => ({ lease })),
      );
      return answers.map(({ grant }) => ({
        validForMs: grant?.validForMs,
        safe: (grant?.safeEventsPerSecond ?? 0) > 0,
      }));
    };
    const all = (grant: object) => leases.map(() => grant);
    expect(await granted()).toEqual(all({ validForMs: 2_000, safe: true }));
    core.forward(1_500);
    expect(await granted()).toEqual(all({ validForMs: 500, safe: true }));
    core.forward(1_500);
    expect(await granted()).toEqual(all({ validForMs: 0, safe: true }));
    core.forward(7_000);
    expect(await granted()).toEqual(all({ validForMs: 0, safe: false }));
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    expect(await granted()).toEqual(all({ validForMs: 2_000, safe: true }));
  });

  test('that one backfill’s reader leaves lying go to the other, also to one of lower priority', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { id: slow, worker, leases } = await replaying(pipeline, { concurrency: 1 });
    await core.ctx.database.update(backfills).set({ priority: 5 }).where(eq(backfills.id, slow));
    const { id: quick } = await core.start();
    const rates = async () => [
      (await effectiveOf(pipeline, slow)).eventsPerSecond,
      (await effectiveOf(pipeline, quick)).eventsPerSecond,
    ];
    let published = 0;
    const read = async (seconds: number, eventsPerSecond: number) => {
      for (let quarter = 0; quarter < seconds * 4; quarter++) {
        published += eventsPerSecond / 4;
        await core.tick(
          worker,
          leases.map((lease) => ({ lease, published, read: published })),
        );
        await pipeline.see({ liveEventsPerSecond: 1_000 }, 0.25);
      }
    };
    await read(1, 5_000);
    expect(await rates()).toEqual([5_000, 0]);
    await read(5, 1_000);
    const [lent, had] = await rates();
    expect(lent).toBeCloseTo(1_500);
    expect(had).toBeCloseTo(3_500);
    expect(ceiling(await effectiveOf(pipeline, slow), 'share')?.detail).toContain('by what they use');
  });
});

describe('the adaptive ceiling', () => {
  test('starts slowly, grows while its rate is used, and is cut by a breach with its reason', async () => {
    const pipeline = await open({ signals: freshness(100) });
    const { id } = await replaying(pipeline);
    const begun = await effectiveOf(pipeline, id);
    expect(begun).toMatchObject({ binding: 'adaptive' });
    expect(begun.eventsPerSecond).toBeLessThan(1_000);

    for (let second = 0; second < 8; second++) {
      const { eventsPerSecond } = await effectiveOf(pipeline, id);
      await pipeline.see({
        liveEventsPerSecond: 1_000,
        freshnessMsP99: 20,
        replayEventsPerSecond: eventsPerSecond,
      });
    }
    const grown = await effectiveOf(pipeline, id);
    expect(grown.eventsPerSecond).toBeGreaterThan(begun.eventsPerSecond * 4);

    await pipeline.see({
      liveEventsPerSecond: 1_000,
      freshnessMsP99: 300,
      replayEventsPerSecond: grown.eventsPerSecond,
    });
    const cut = await effectiveOf(pipeline, id);
    expect(cut.binding).toBe('adaptive');
    expect(cut.eventsPerSecond).toBeLessThan(grown.eventsPerSecond * 0.8);
    expect(ceiling(cut, 'adaptive')?.detail).toContain('liveFreshnessMsP99 is 300, its target 100');
    const view = await pipeline.view();
    expect(view.signals.find(({ name }) => name === 'liveFreshnessMsP99')).toMatchObject({
      value: 300,
      target: 100,
      verdict: 'breached',
    });
  });

  test('is off without a target', async () => {
    const pipeline = await open({ signals: freshness(null) });
    const { id } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000, freshnessMsP99: 9_000 });
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 5_000, binding: 'share' });
    expect((await pipeline.view()).adaptivePhase).toBe('off');
  });

  test('what was learned is forgotten ten seconds after the last backfill', async () => {
    const pipeline = await open({ signals: freshness(100) });
    const { id } = await replaying(pipeline);
    for (let second = 0; second < 6; second++)
      await pipeline.see({
        liveEventsPerSecond: 1_000,
        replayEventsPerSecond: (await effectiveOf(pipeline, id)).eventsPerSecond,
      });
    const adaptive = async () =>
      (await pipeline.view()).ceilings.find(({ reason }) => reason === 'adaptive')?.eventsPerSecond ?? 0;
    const learned = await adaptive();
    await pipeline.core.ctx.database.execute(
      `update backfills set state = 'cancelled', ended_at = now() where id = '${id}'`,
    );
    await pipeline.see({}, 5);
    expect(await adaptive()).toBe(learned);
    await pipeline.see({}, 15);
    expect(await adaptive()).toBeLessThan(learned);
  });
});

describe('what cannot be read', () => {
  test('counts as bad: nothing but the floor, and it says what', async () => {
    const pipeline = await open({ signals: { cacheHitRatio: { target: 0.9, failMode: 'bad' } } });
    const { id } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000, cacheHitRatio: null });
    const effective = await effectiveOf(pipeline, id);
    expect(effective).toMatchObject({ eventsPerSecond: 200, binding: 'adaptive' });
    expect(ceiling(effective, 'adaptive')?.detail).toContain('cacheHitRatio cannot be read');
    expect((await pipeline.view()).signals.find(({ name }) => name === 'cacheHitRatio')).toMatchObject({
      value: null,
      verdict: 'unknown',
      worseWhen: 'below',
      detail: 'the workers could not measure it in the last seconds',
    });
  });

  test('is left out when it is to be ignored', async () => {
    const pipeline = await open({ signals: { cacheHitRatio: { target: 0.9, failMode: 'ignore' } } });
    const { id } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000, cacheHitRatio: null });
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 5_000, binding: 'share' });
  });

  test('a probe that fails holds replay like any other signal', async () => {
    let value: number | null = 3;
    const probe = (): ProbeSignal => ({
      title: 'Queue of the shop',
      detail: value === null ? 'the host does not answer' : null,
      reading: {
        name: 'pr_shop',
        value,
        ageMs: 0,
        staleAfterMs: 5_000,
        target: 10,
        worseWhen: 'above',
        failMode: 'bad',
      },
    });
    const pipeline = await open(
      {},
      { healthyApplier: false, stillClock: true, pipeline: { replayFloor: 0.02 }, probes: () => [probe()] },
    );
    const { id } = await replaying(pipeline);
    expect((await effectiveOf(pipeline, id)).eventsPerSecond).toBe(200);
    value = null;
    await pipeline.see({ liveEventsPerSecond: 1_000 });
    const effective = await effectiveOf(pipeline, id);
    expect(effective).toMatchObject({ eventsPerSecond: 200, binding: 'adaptive' });
    expect(ceiling(effective, 'adaptive')?.detail).toContain('Queue of the shop cannot be read');
    expect((await pipeline.view()).signals.at(-1)).toMatchObject({
      name: 'pr_shop',
      kind: 'probe',
      value: null,
      verdict: 'unknown',
      detail: 'the host does not answer',
    });
  });

  test('nothing to do is not unknown: a pipeline at rest is fresh', async () => {
    const signals = {
      ...freshness(100),
      liveFreshnessMsP50: { target: 50, failMode: 'bad' as const },
      storeCommitMsP99: { target: 50, failMode: 'bad' as const },
      applyLatencyMsP99: { target: 50, failMode: 'bad' as const },
    };
    const pipeline = await open({ signals });
    await pipeline.see({});
    const shown = (await pipeline.view()).signals.filter(({ target }) => target !== null);
    expect(shown.map(({ value, verdict }) => [value, verdict])).toEqual(Array(4).fill([null, 'ok']));
    await pipeline.see({ liveLagMs: null });
    const unknown = (await pipeline.view()).signals.filter(({ verdict }) => verdict === 'unknown');
    expect(unknown.map(({ name }) => name)).toEqual(['liveFreshnessMsP99', 'liveFreshnessMsP50']);
    // A commit that is under way has taken at least so long.
    await pipeline.see({ silentMs: 400 });
    expect((await pipeline.view()).signals.find(({ name }) => name === 'storeCommitMsP99')?.verdict).toBe(
      'breached',
    );
  });

  test('one event that waits is not fresh, whatever was applied before it', async () => {
    const pipeline = await open({ signals: freshness(100) });
    await pipeline.see({ freshnessMsP99: 5, liveLagMs: 2_000 });
    expect((await pipeline.view()).signals[0]).toMatchObject({ value: 2_000, verdict: 'breached' });
  });
});

describe('the hard stop', () => {
  test('nothing is granted while the store is silent; then live catches up first; then replay is woken', async () => {
    const pipeline = await open({ signals: freshness(100) });
    const { core } = pipeline;
    const { id, worker } = await replaying(pipeline);
    await pipeline.see({ liveEventsPerSecond: 1_000, silentMs: 1_200, liveLagMs: 1_200 });
    const stopped = await effectiveOf(pipeline, id);
    expect(stopped).toMatchObject({ eventsPerSecond: 0, binding: 'hard_stop' });
    expect(ceiling(stopped, 'hard_stop')?.detail).toBe('the store has not answered for 1.2 s');
    expect(grantsPushed(core, worker)).toBe(0);
    expect(await pipeline.view()).toMatchObject({
      hardStop: 'the store has not answered for 1.2 s',
      adaptivePhase: 'frozen',
      safeRate: { eventsPerSecond: 0 },
    });

    await pipeline.see({ liveEventsPerSecond: 1_000, liveLagMs: 900 });
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 200, binding: 'live_first' });
    expect(core.pushed(worker).some(({ type }) => type === 'wake')).toBe(true);
    await pipeline.see({ liveEventsPerSecond: 1_000, liveLagMs: 10 });
    expect((await effectiveOf(pipeline, id)).binding).toBe('adaptive');
  });

  test('an applier that falls silent counts as a store that does', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { id } = await replaying(pipeline);
    core.forward(1_400);
    await core.pass();
    expect((await effectiveOf(pipeline, id)).eventsPerSecond).toBe(5_000);
    core.forward(200);
    await core.pass();
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 0, binding: 'hard_stop' });
    core.forward(1_500);
    await core.pass();
    expect((await pipeline.view()).hardStop).toBe('no apply worker has reported: nothing would be applied');
  });

  test('an api that begins again grants nothing before an applier has reported', async () => {
    const pipeline = await open({ signals: freshness(100) });
    const { worker, leases } = await replaying(pipeline);
    expect(leases.length).toBeGreaterThan(0);
    expect(governorMemory(pipeline.core.ctx).grants.grantedBy(pipeline.core.pipelineId).size).toBe(1);

    const restarted = await open();
    const { ctx } = restarted.core;
    const granted: number[] = [];
    ctx.workers.subscribe(worker, (push) => {
      if (push.type === 'grants') granted.push(...push.grants.map((grant) => grant.eventsPerSecond));
    });
    // The replay worker is heard again; the applier of its pipeline is not.
    await restarted.core.tick(worker);
    for (let pass = 0; pass < 8; pass++) {
      restarted.core.forward(250);
      await governorPass(ctx, ctx.telemetry);
    }
    expect(granted.length).toBeGreaterThan(0);
    expect(granted.every((rate) => rate === 0)).toBe(true);
    expect((await readGovernor(ctx, pipeline.core.pipelineId)).hardStop).toBe(
      'no apply worker has reported: nothing would be applied',
    );
  });
});

describe('a storm', () => {
  test('is named while live falls behind replay, and holds replay to the floor until live has caught up', async () => {
    const pipeline = await open();
    const { id } = await replaying(pipeline);
    let liveLagMs = 600;
    for (let second = 0; second < 4; second++, liveLagMs += 400)
      await pipeline.see({ liveEventsPerSecond: 1_000, replayEventsPerSecond: 5_000, liveLagMs });
    const stormy = await effectiveOf(pipeline, id);
    expect(stormy).toMatchObject({ eventsPerSecond: 200, binding: 'storm' });
    expect(ceiling(stormy, 'storm')?.detail).toContain('replay is feeding its own backlog');
    expect((await pipeline.view()).storm).toBe(true);
    await pipeline.see({ liveEventsPerSecond: 1_000, replayEventsPerSecond: 200, liveLagMs: 20 }, 3);
    expect((await effectiveOf(pipeline, id)).binding).toBe('share');
  });
});

describe('the stream', () => {
  test('is kept under its mark, also when that is below the floor', async () => {
    const pipeline = await open();
    const { id } = await replaying(pipeline);
    const sight = { liveEventsPerSecond: 1_000, replayEventsPerSecond: 1_000 };
    for (const replayStreamLength of [12_000, 16_000, 20_000, 20_000])
      await pipeline.see({ ...sight, replayStreamLength });
    const held = await effectiveOf(pipeline, id);
    expect(held.binding).toBe('stream');
    expect(held.eventsPerSecond).toBeLessThan(1_000);
  });

  test('that live shares is the one that counts', async () => {
    const pipeline = await open({ route: 'shared' });
    const { core } = pipeline;
    await replaying(pipeline);
    const ceilingOf = async () => (await pipeline.view()).ceilings.find(({ reason }) => reason === 'stream');
    // What lies on the replay stream of before is of no interest.
    await pipeline.see({ liveEventsPerSecond: 1_000, replayStreamLength: 20_000 });
    expect(await ceilingOf()).toMatchObject({ eventsPerSecond: null });
    const stream = emptyStream(`${core.pipelineId}-live`, { length: 19_000, lagMs: 0 });
    for (let report = 0; report < 4; report++) {
      core.forward(250);
      core.ctx.telemetry.observeTick('wk_apply_1', 'apply', {
        ...quietTick,
        apply: { ...emptyApply, streams: [stream] },
      });
      await core.pass();
    }
    expect((await ceilingOf())?.eventsPerSecond).not.toBeNull();
  });
});

test('workers are told when a measured capacity moves the floor', async () => {
  const pipeline = await open(
    {},
    {
      healthyApplier: false,
      stillClock: true,
      capacityEventsPerSecond: null,
      pipeline: { replayFloor: 0.02 },
    },
  );
  const { core } = pipeline;
  const applier = await core.join('apply');
  const streams = [emptyStream(`${core.pipelineId}-live`)];
  const calibrated = { eventsPerSecond: 20_000, commitMsP99: 5 };
  await core.tick(applier, [], { streams, calibrated });
  const settings = core.pushed(applier).flatMap((push) => (push.type === 'settings' ? [push.pipeline] : []));
  expect(settings).toMatchObject([
    { pipelineId: core.pipelineId, floorEventsPerSecond: 400, calibrate: false, route: 'separate' },
  ]);
});

test('the ledger counts every reason that was binding', async () => {
  const pipeline = await open();
  const { core } = pipeline;
  const { id } = await replaying(pipeline);
  const ledger = new Ledger(core.ctx);
  const { decisions } = governorMemory(core.ctx);
  const look = async (sight: Sight) => {
    core.forward(250);
    pipeline.report(sight);
    const governed = await governorPass(core.ctx, core.ctx.telemetry);
    ledger.observe(governed, decisions);
  };
  for (let quarter = 0; quarter < 8; quarter++) await look({ liveEventsPerSecond: 9_500 });
  for (let quarter = 0; quarter < 8; quarter++) await look({ liveEventsPerSecond: 1_000, silentMs: 2_000 });
  const { database } = core.ctx;
  // The database is away for once: what it did not take is not lost.
  const execute = vi.spyOn(database, 'execute').mockRejectedValueOnce(new Error('away'));
  await expect(ledger.write()).rejects.toThrow('away');
  execute.mockRestore();
  await ledger.write();
  const { items } = await readLedger(core.ctx, id);
  const seconds = Object.fromEntries(items.map((item) => [item.reason, item.seconds]));
  expect(seconds['hard_stop']).toBeCloseTo(2);
  expect(seconds['live_first']).toBeGreaterThan(1);
});

test('a rate that falls to nothing is told, though nothing else changes any more', async () => {
  const core = await openCore(database.url, { stillClock: true });
  opened.push(core);
  const { ctx, pipelineId, changes } = core;
  const { id } = await core.start();
  const quarters = (applied: readonly number[]) => {
    for (const count of applied) {
      core.forward(250);
      ctx.telemetry.observeTick('wk_apply_fixture', 'apply', {
        ...quietTick,
        apply: {
          ...emptyApply,
          streams: ['live', 'replay'].map((name) => emptyStream(`${pipelineId}-${name}`)),
          counters: [{ backfillId: id, applied: count, duplicate: 0, quarantined: 0 }],
        },
      });
    }
    governorMemory(ctx).trigger();
  };
  const told = () =>
    changes.flatMap((change) =>
      change.event === 'backfill' && change.data.backfill.id === id
        ? [change.data.backfill.progress.appliedEventsPerSecond]
        : [],
    );
  const governor = startGovernor(ctx, ctx.telemetry);
  try {
    quarters([0, 100, 200, 300, 400]);
    await vi.waitFor(() => expect(told().at(-1)).toBe(400), { timeout: 5_000 });
    await vi.waitFor(
      () => {
        quarters([400, 400, 400, 400]);
        expect(told().at(-1)).toBe(0);
      },
      { timeout: 5_000, interval: 100 },
    );
  } finally {
    await governor.stop();
  }
});
