/** The loop on hand-fed reports, in virtual time: what hurts live reaches the grants, and everyone can read why. */
import { describe, expect, test } from 'vitest';
import { readGovernor } from '../../src/control-plane/governor/looks.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { governorPass } from '../../src/control-plane/governor/pass.ts';
import {
  ceiling,
  effectiveOf,
  freshness,
  governedPipelines,
  grantsPushed,
  open,
  replaying,
} from '../fixtures/governed-pipeline.ts';
import { emptyApply, emptyStream, quietTick } from '../fixtures/ticks.ts';

governedPipelines();

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

  test('an applier that falls silent stops it as a store that does, and is told as what it is', async () => {
    const pipeline = await open();
    const { core } = pipeline;
    const { id } = await replaying(pipeline);
    core.forward(1_400);
    await core.pass();
    expect((await effectiveOf(pipeline, id)).eventsPerSecond).toBe(5_000);
    core.forward(200);
    await core.pass();
    expect(await effectiveOf(pipeline, id)).toMatchObject({ eventsPerSecond: 0, binding: 'hard_stop' });
    expect((await pipeline.view()).hardStop).toMatch(/^the apply worker has not been heard for 1\.\d s$/);
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
    // The replay worker is heard again, with what it was granted; the applier of its pipeline is not.
    for (let pass = 0; pass < 8; pass++) {
      restarted.core.forward(250);
      await governorPass(ctx, ctx.telemetry);
      const answer = await restarted.core.tick(
        worker,
        leases.map((lease) => ({ lease, grantedEventsPerSecond: 200 })),
      );
      granted.push(...answer.leases.flatMap(({ grant }) => (grant === null ? [] : [grant.eventsPerSecond])));
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
