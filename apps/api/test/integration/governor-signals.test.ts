/** The loop on hand-fed reports, in virtual time: what the signals say, and what happens when they say nothing. */
import { describe, expect, test } from 'vitest';
import type { ProbeSignal } from '../../src/control-plane/context.ts';
import {
  ceiling,
  effectiveOf,
  freshness,
  governedPipelines,
  open,
  replaying,
} from '../fixtures/governed-pipeline.ts';

governedPipelines();

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
