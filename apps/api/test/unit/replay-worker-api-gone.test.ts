/** A replay worker whose api does not answer, or has forgotten it: it slows down, ends in time, and goes on. */
import type { JoinWorker } from '@spillway/shared/api/worker-protocol';
import { describe, expect, test } from 'vitest';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import { pass, replayWorlds, whole } from '../fixtures/replay-worker-world.ts';
import { events, pipeline, virtualClock, WorldHistory } from '../fixtures/worker-world.ts';

const start = replayWorlds();

describe('the api gone for 30 s', () => {
  test('safe rate after two seconds, nothing from the deadline on, and on again when it is back', async () => {
    const { api, stream } = start(new WorldHistory(events(12_000)), (made) => made.addRun('ls_1', whole));
    await pass(2_000);
    const lastRenewalMs = api.of('tick').at(-1)?.atMs as number;
    const goneMs = performance.now();
    api.down = true;
    await pass(30_000);
    expect(stream.eventsBetween(goneMs, lastRenewalMs + 2_000)).toBeGreaterThan(1_500);
    // A tenth of the rate: 100 events/s.
    expect(stream.eventsBetween(lastRenewalMs + 2_100, lastRenewalMs + 9_100)).toBeGreaterThan(600);
    expect(stream.eventsBetween(lastRenewalMs + 2_100, lastRenewalMs + 9_100)).toBeLessThan(750);
    expect(stream.eventsBetween(lastRenewalMs + 9_500, Number.POSITIVE_INFINITY)).toBe(0);
    // It does not press an api that does not answer.
    expect(api.asked.filter(({ atMs }) => atMs >= goneMs).length).toBeLessThan(30 * 5 + 10);

    api.down = false;
    await pass(3_000);
    expect(stream.eventsBetween(performance.now() - 1_000, performance.now())).toBeGreaterThan(900);
    await pass(15_000);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(12_000);
    expect(api.completed).toHaveLength(1);
    expect(api.failures).toEqual([]);
  });

  test('a grant that is pushed to a worker that hears no answers is not taken for a new one', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(2_000);
    const lastRenewalMs = api.of('tick').at(-1)?.atMs as number;
    api.beforeAnswer = () => new Promise(() => {});
    await pass(1_800);
    // As it would find it in its socket after having stood still: sent nobody knows when.
    api.push({ type: 'grants', grants: [api.grant('ls_1')] });
    const pushedMs = performance.now();
    await pass(3_000);
    expect(stream.eventsBetween(pushedMs, lastRenewalMs + 2_000)).toBeGreaterThan(0);
    expect(stream.eventsBetween(lastRenewalMs + 2_300, lastRenewalMs + 4_300)).toBeLessThan(250);
  });

  test('a tick that is answered late renews from the moment it was asked, not from the answer', async () => {
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    const answer = Promise.withResolvers<void>();
    api.beforeAnswer = (call) => (call === 'tick' ? answer.promise : undefined);
    await pass(300);
    const askedMs = api.of('tick').at(-1)?.atMs as number;
    await pass(8_000);
    api.beforeAnswer = () => new Promise(() => {});
    answer.resolve();
    await pass(10_000);
    expect(stream.eventsBetween(askedMs + 9_500, Number.POSITIVE_INFINITY)).toBe(0);
    // Its grant was two seconds old and more when it came.
    expect(stream.eventsBetween(askedMs + 8_100, askedMs + 9_100)).toBeLessThan(150);
  });

  test('does not open the gate: the reader stops at the mark by itself, and goes on as what waits is worked off', async () => {
    let applied = 0;
    const { api, stream } = start(undefined, (made, at) => {
      made.pipelines = [{ ...pipeline, highWaterMark: 500 }];
      made.addRun('ls_1', whole);
      at.length = () => at.events.length - applied;
    });
    await pass(2_000);
    expect(stream.events.length).toBe(500);
    api.down = true;
    await pass(400);
    applied = 99;
    await pass(200);
    // Not below the low-water mark yet.
    expect(stream.events.length).toBe(500);
    applied = 101;
    const openedMs = performance.now();
    await pass(300);
    expect(stream.events.length).toBe(601);
    // At its rate, not all at once.
    expect(stream.eventsBetween(openedMs, openedMs + 50)).toBeLessThan(75);
  });

  test('an append under way when the deadline passes is the last', async () => {
    const appended = Promise.withResolvers<void>();
    const { api, stream } = start(undefined, (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    api.down = true;
    stream.beforeAppend = () => appended.promise;
    await pass(12_000);
    stream.beforeAppend = () => {};
    const before = stream.events.length;
    appended.resolve();
    await pass(5_000);
    expect(stream.events.length - before).toBeGreaterThan(0);
    expect(stream.events.length - before).toBeLessThanOrEqual(20);
    expect(stream.published.some(({ entry }) => entry.type === 'marker')).toBe(false);
  });
});

describe('an api that does not know the worker any more', () => {
  test('names the processes it replaces, and how long they have ended, each time it joins', async () => {
    const replaces = { pids: [7, 8], endedForMs: () => virtualClock.monotonic() + 400.7 };
    const { api } = start(undefined, () => {}, { replaces });
    const beganMs = virtualClock.monotonic();
    await pass(3_000);
    api.forgetWorkers();
    await pass(1_000);
    const told = api.of('join').map(({ body }) => (body as JoinWorker).replaces);
    expect(told).toMatchObject([{ pids: [7, 8], endedForMs: Math.floor(beganMs + 400.7) }, { pids: [7, 8] }]);
    expect(told[1]?.endedForMs).toBeGreaterThanOrEqual((told[0]?.endedForMs ?? 0) + 3_000);
  });

  test('is joined again; leases of the former membership publish nothing more', async () => {
    const { api, stream } = start(new WorldHistory(events(5_000)), (made) => made.addRun('ls_1', whole));
    await pass(1_000);
    api.forgetWorkers();
    await pass(600);
    expect(api.of('join')).toHaveLength(2);
    const before = stream.events.length;
    await pass(5_000);
    expect(stream.events.length).toBe(before);
    // The old lease has expired by now and is granted anew.
    await pass(20_000);
    expect(new Set(stream.events.map(({ id }) => id)).size).toBe(5_000);
    expect(api.completed).toHaveLength(1);
  });

  test('and refuses its ticks is not flooded with memberships', async () => {
    const { api } = start(undefined, (made) => {
      made.beforeAnswer = (call) => {
        if (call === 'tick') throw new ControlError('refused', 'not like this');
      };
    });
    await pass(20_000);
    expect(api.of('join').length).toBeLessThan(20);
  });
});
