/** Several replay workers under one limit: what all of them release together, whoever joins, leaves, dies or is handed more meanwhile. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GrantedWorkers } from '../fixtures/granted-workers.ts';

/** The most events in any window of this length, as a part of what the limit allows in it. */
function busiest({ released }: GrantedWorkers, windowMs: number, limit: number): number {
  let most = 0;
  let sum = 0;
  let first = 0;
  for (const { atMs, events } of released) {
    sum += events;
    while (atMs - (released[first]?.atMs ?? atMs) >= windowMs) sum -= released[first++]?.events ?? 0;
    most = Math.max(most, sum);
  }
  return most / ((limit * windowMs) / 1000);
}

function expectWithin(workers: GrantedWorkers, limit: number): void {
  expect(busiest(workers, 1_000, limit)).toBeLessThanOrEqual(1.02);
  expect(busiest(workers, 100, limit)).toBeLessThanOrEqual(1.2);
}

const LIMIT = 5_000;
/** Events released from then on, as a part of what the limit allows. */
function mean({ released, nowMs }: GrantedWorkers, fromMs: number): number {
  const events = released.filter(({ atMs }) => atMs > fromMs).reduce((sum, one) => sum + one.events, 0);
  return events / ((LIMIT * (nowMs - fromMs)) / 1000);
}

describe('two workers', () => {
  test('of one backfill have all of its rate together; one that joins takes its part of it, one that leaves gives it back', () => {
    const workers = new GrantedWorkers([5, 20]);
    workers.decide({ bf_1: LIMIT });
    workers.claim('wk_1', 'bf_1');
    workers.pass(4_000);
    expect(mean(workers, 1_000)).toBeGreaterThan(0.96);
    workers.claim('wk_2', 'bf_1');
    workers.pass(4_000);
    expect(mean(workers, 5_000)).toBeGreaterThan(0.96);
    workers.leave('wk_1');
    workers.pass(6_000);
    expect(mean(workers, 11_000)).toBeGreaterThan(0.96);
    expectWithin(workers, LIMIT);
  });

  test('of two backfills: what one is cut by the other has', () => {
    const workers = new GrantedWorkers([5, 20]);
    workers.claim('wk_1', 'bf_1');
    workers.claim('wk_2', 'bf_2');
    for (const part of [0.1, 0.9, 0.5]) {
      workers.decide({ bf_1: LIMIT * part, bf_2: LIMIT * (1 - part) });
      workers.pass(3_000);
      expect(mean(workers, workers.nowMs - 2_000)).toBeGreaterThan(0.95);
    }
    expectWithin(workers, LIMIT);
  });

  test.each([true, false])(
    'one is killed with its grant: the other has it all, at once or when the lease has run out (seen: %s)',
    (seen) => {
      const workers = new GrantedWorkers([5, 20]);
      workers.decide({ bf_1: LIMIT });
      for (const id of ['wk_1', 'wk_2']) workers.claim(id, 'bf_1');
      workers.pass(3_000);
      workers.kill('wk_1', { seen });
      workers.pass(seen ? 3_000 : 13_000);
      expect(mean(workers, workers.nowMs - 1_000)).toBeGreaterThan(0.96);
      expectWithin(workers, LIMIT);
    },
  );

  test('one is cut off with its grant and goes on with it as long as it may', () => {
    const workers = new GrantedWorkers([5, 20]);
    workers.decide({ bf_1: LIMIT });
    for (const id of ['wk_1', 'wk_2']) workers.claim(id, 'bf_1');
    workers.pass(3_000);
    workers.cut('wk_1', true);
    workers.pass(14_000);
    workers.cut('wk_1', false);
    workers.claim('wk_1', 'bf_1');
    workers.pass(3_000);
    expect(mean(workers, workers.nowMs - 1_000)).toBeGreaterThan(0.95);
    expectWithin(workers, LIMIT);
  });
});

// As docs/operations.md says it: a grant is good for two seconds from the question that brought it.
test.each([
  [800, 'nothing', 0.95, 1],
  [1_000, 'a quarter', 0.7, 0.8],
  [1_200, 'half', 0.45, 0.55],
  [2_000, 'all but the safe rate', 0.09, 0.11],
  [4_000, 'all but the safe rate', 0.09, 0.11],
])('questions that are answered after %d ms cost %s of the rate', (answerMs, _what, least, most) => {
  const workers = new GrantedWorkers([answerMs / 2]);
  workers.decide({ bf_1: LIMIT });
  workers.claim('wk_1', 'bf_1');
  workers.pass(20_000);
  const from = workers.nowMs;
  workers.pass(30_000);
  expect(mean(workers, from)).toBeGreaterThan(least);
  expect(mean(workers, from)).toBeLessThan(most);
});

describe('an api that is started anew', () => {
  /** All the rate was one's; of the other's. */
  function handedOver(latencies: readonly number[], then: (workers: GrantedWorkers) => void): GrantedWorkers {
    const workers = new GrantedWorkers(latencies);
    workers.decide({ bf_1: LIMIT, bf_2: 0 });
    workers.claim('wk_1', 'bf_1');
    workers.claim('wk_2', 'bf_2');
    workers.pass(3_000);
    then(workers);
    workers.decide({ bf_1: 0, bf_2: LIMIT });
    workers.restartApi();
    workers.pass(14_000);
    return workers;
  }

  test.each([
    ['is heard', () => undefined],
    [
      'is cut off, with a grant of the process before',
      (workers: GrantedWorkers) => workers.cut('wk_1', true),
    ],
  ])('gives one what another had, which %s', (_name, then) => {
    const workers = handedOver([5, 20], then);
    expectWithin(workers, LIMIT);
    expect(mean(workers, workers.nowMs - 2_000)).toBeGreaterThan(0.96);
  });

  test('cuts what another has although its clock is an hour behind', () => {
    const workers = new GrantedWorkers([5]);
    workers.decide({ bf_1: LIMIT });
    workers.claim('wk_1', 'bf_1');
    workers.pass(3_000);
    workers.decide({ bf_1: 0 });
    workers.restartApi(-3_600_000);
    workers.pass(6_000);
    expect(workers.released.filter(({ atMs }) => atMs > workers.nowMs - 2_000)).toEqual([]);
  });

  test('takes no word for the acknowledgement of its cut that was sent before it', () => {
    expectWithin(
      handedOver([300, 20, 450], () => undefined),
      LIMIT,
    );
  });
});

test('whatever happens, three workers of two backfills stay within the limit together', () => {
  const worker = fc.constantFrom('wk_1', 'wk_2', 'wk_3');
  const backfill = fc.constantFrom('bf_1', 'bf_2');
  const part = fc.double({ min: 0, max: 1, noNaN: true });
  const act = fc.oneof(
    { weight: 4, arbitrary: fc.record({ claim: worker, backfill }) },
    { weight: 4, arbitrary: fc.record({ decide: part, of: fc.constantFrom(1, 1, 0.3) }) },
    { weight: 1, arbitrary: fc.record({ leave: worker }) },
    { weight: 1, arbitrary: fc.record({ kill: worker, seen: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ cut: worker, forMs: fc.integer({ min: 100, max: 13_000 }) }) },
    { weight: 2, arbitrary: fc.record({ still: worker, forMs: fc.integer({ min: 50, max: 13_000 }) }) },
    { weight: 1, arbitrary: fc.record({ restart: fc.constantFrom(0, 0, -3_600_000, 3_600_000) }) },
  );
  const happening = fc.record({ act, thenMs: fc.integer({ min: 20, max: 3_000 }) });
  fc.assert(
    fc.property(
      fc.double({ min: 2_000, max: 60_000, noNaN: true }),
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 1, maxLength: 12 }),
      fc.array(happening, { maxLength: 12 }),
      (limit, latencies, happenings) => {
        const workers = new GrantedWorkers(latencies);
        workers.decide({ bf_1: limit / 2, bf_2: limit / 2 });
        workers.claim('wk_1', 'bf_1');
        workers.claim('wk_2', 'bf_2');
        const mended: { readonly atMs: number; readonly workerId: string }[] = [];
        for (const { act: now, thenMs } of happenings) {
          if ('claim' in now) workers.claim(now.claim, now.backfill);
          else if ('decide' in now) {
            const all = limit * now.of;
            workers.decide({ bf_1: all * now.decide, bf_2: all * (1 - now.decide) });
          } else if ('leave' in now) workers.leave(now.leave);
          else if ('kill' in now) workers.kill(now.kill, now);
          else if ('still' in now) workers.standStill(now.still, now.forMs);
          else if ('cut' in now) {
            workers.cut(now.cut, true);
            mended.push({ atMs: workers.nowMs + now.forMs, workerId: now.cut });
          } else workers.restartApi(now.restart);
          workers.pass(thenMs);
          for (const { atMs, workerId } of mended) if (atMs <= workers.nowMs) workers.cut(workerId, false);
        }
        workers.pass(2_000);
        expectWithin(workers, limit);
      },
    ),
    { numRuns: 500, endOnFailure: true },
  );
});
