import type { Grant, Lease } from '@spillway/shared/api/worker-protocol';
import { expect, test } from 'vitest';
import { HeldLeases } from '../../src/data-plane/replay/held-leases.ts';
import { QuarantineQueue } from '../../src/data-plane/replay/quarantine-queue.ts';

let nowMs = 0;
const clock = { now: () => nowMs, monotonic: () => nowMs };

function grant(leaseId: string, sequence: number, eventsPerSecond: number): Grant {
  return { leaseId, sequence, eventsPerSecond, validForMs: 2_000, safeEventsPerSecond: eventsPerSecond / 10 };
}

function lease(id: string, fencingToken: number, given: Grant): Lease {
  const place = { pipelineId: 'p', backfillId: 'bf_1', sourceId: 'east', from: 0, to: 1, subwindowMs: 1 };
  return {
    id,
    kind: 'replay',
    fencingToken,
    deadlineMs: 10_000,
    ...place,
    attempt: 1,
    cursor: null,
    published: 0,
    read: 0,
    quarantined: 0,
    again: 0,
    ahead: 0,
    grant: given,
    proofEventsPerSecond: null,
  };
}

test('a lease granted anew while its old attempt winds up belongs to the new one alone', () => {
  nowMs = 0;
  const held = new HeldLeases(clock);
  const old = held.begin(lease('ls_1', 1, grant('ls_1', 1, 100)), 0);
  const { leases, answered } = held.report();
  expect(leases).toMatchObject([{ leaseId: 'ls_1', fencingToken: 1, grantSequence: 1 }]);

  nowMs = 100;
  const renewed = held.begin(lease('ls_1', 2, grant('ls_1', 5, 200)), 100);
  expect(old.stop.signal.aborted).toBe(true);

  // The answer is about the old token.
  answered(
    {
      standby: false,
      leases: [{ leaseId: 'ls_1', verdict: 'stale_fencing_token', deadlineMs: 0, grant: null }],
    },
    50,
  );
  answered(
    { standby: false, leases: [{ leaseId: 'ls_1', verdict: 'renewed', deadlineMs: 0, grant: null }] },
    50,
  );
  held.releaseGrant(old);
  held.forget(old);

  expect(held.holds(renewed)).toBe(true);
  expect(held.isOver(renewed)).toBe(false);
  expect(renewed.deadlineMs).toBe(100 + 10_000 - 500);
  expect(renewed.bucket.eventsPerSecond).toBe(200);
  expect(held.report().leases).toMatchObject([{ fencingToken: 2, grantSequence: 5, stopped: false }]);
});

test('one that stopped while its tick was under way is reported as stopped by the next', () => {
  nowMs = 0;
  const held = new HeldLeases(clock);
  const attempt = held.begin(lease('ls_1', 1, grant('ls_1', 1, 100)), 0);
  const before = held.report();
  attempt.stopped = true;
  before.answered(
    { standby: false, leases: [{ leaseId: 'ls_1', verdict: 'renewed', deadlineMs: 10_000, grant: null }] },
    0,
  );
  expect(held.size).toBe(1);
  const after = held.report();
  expect(after.leases).toMatchObject([{ stopped: true }]);
  after.answered({ standby: false, leases: [] }, 0);
  expect(held.size).toBe(0);
});

test('a grant repeated by a slow answer does not cut short the one in force', () => {
  nowMs = 5_000;
  const held = new HeldLeases(clock);
  const attempt = held.begin(lease('ls_1', 1, grant('ls_1', 1, 100)), 5_000);
  held.grant(grant('ls_1', 2, 1_000), 5_000);
  held.grant(grant('ls_1', 2, 1_000), 3_100);
  // One that was overtaken changes nothing.
  held.grant(grant('ls_1', 1, 50_000), 5_000);
  nowMs = 5_200;
  expect(attempt.bucket.eventsPerSecond).toBe(1_000);
  // A newer one that was long on its way is valid for less.
  held.grant(grant('ls_1', 3, 500), 3_300);
  expect(attempt.bucket.eventsPerSecond).toBe(500);
  nowMs = 5_400;
  expect(attempt.bucket.eventsPerSecond).toBe(50);
});

test('leases that share a rate are as strict as the strictest: one that is not renewed takes all to the safe rate, and to nothing', () => {
  nowMs = 0;
  const held = new HeldLeases(clock);
  const one = held.begin(lease('ls_1', 1, grant('ls_1', 1, 100)), 0);
  held.begin(lease('ls_2', 2, grant('ls_2', 2, 100)), 0);
  expect(one.bucket.eventsPerSecond).toBe(200);
  for (nowMs = 1_000; nowMs <= 9_000; nowMs += 1_000)
    held.report().answered(
      {
        standby: false,
        leases: [{ leaseId: 'ls_2', verdict: 'renewed', deadlineMs: 10_000, grant: grant('ls_2', 2, 100) }],
      },
      nowMs,
    );
  // Ten seconds, less the margin, after the first was granted.
  for (const [atMs, eventsPerSecond] of [
    [9_100, 20],
    [9_499, 20],
    [9_500, 0],
  ] as const) {
    nowMs = atMs;
    expect(one.bucket.eventsPerSecond).toBe(eventsPerSecond);
  }
});

test('pools of backfills without a lease are not kept', () => {
  const held = new HeldLeases(clock);
  for (let round = 0; round < 3; round++) {
    const attempt = held.begin(lease(`ls_${round}`, round, grant(`ls_${round}`, round, 100)), nowMs);
    expect(attempt.bucket.eventsPerSecond).toBe(100);
    held.forget(attempt);
    held.releaseGrant(attempt);
  }
  expect(held.size).toBe(0);
});

test('the queue of rows that cannot be read is bounded, and what was delivered twice is removed once', () => {
  const queue = new QuarantineQueue();
  const row = (address: number) => ({
    backfillId: 'bf_1',
    sourceId: 'east',
    address: `row ${address}`,
    code: 'unparsable',
    detail: '',
  });
  queue.add(Array.from({ length: 12_345 }, (_, address) => row(address)));
  expect(queue.length).toBe(10_000);
  expect(queue.dropped).toBe(2_345);
  const first = queue.next();
  expect(first).toHaveLength(100);
  queue.delivered(first);
  queue.delivered(first);
  expect(queue.length).toBe(9_900);
  expect(queue.next()[0]).toMatchObject({ address: 'row 100' });
});

test('a stop that overtakes the answer to the claim stops the lease as it begins, and no later grant of it', () => {
  nowMs = 0;
  const held = new HeldLeases(clock);
  nowMs = 20;
  held.stop(['ls_1']);
  nowMs = 40;
  expect(held.begin(lease('ls_1', 1, grant('ls_1', 1, 100)), 10).stop.signal.aborted).toBe(true);
  expect(held.begin(lease('ls_1', 2, grant('ls_1', 2, 100)), 30).stop.signal.aborted).toBe(false);
});
