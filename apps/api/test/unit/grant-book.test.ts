/** Who may publish how fast, and who may not yet: one pipeline, backfills and leases by name, on virtual time. */
import { grantValidMs, leaseMs } from '@spillway/shared/api/worker-protocol';
import { beforeEach, describe, expect, test } from 'vitest';
import { GrantBook } from '../../src/control-plane/governor/grant-book.ts';

let nowMs = 0;
const clock = { now: () => 1_000_000 + nowMs, monotonic: () => nowMs };
let book: GrantBook;

beforeEach(() => {
  nowMs = 0;
  book = new GrantBook(clock);
});

function lease(leaseId: string, backfillId = 'bf', workerId = 'wk') {
  return { leaseId, backfillId, workerId, pipelineId: 'p', kind: 'replay' as const };
}

/** A pass of the governor. */
function plan(rates: Record<string, number>): string[] {
  const backfills = new Map(Object.entries(rates));
  const eventsPerSecond = [...backfills.values()].reduce((sum, rate) => sum + rate, 0);
  book.setPlan('p', { eventsPerSecond, backfills });
  return book.distribute('p');
}

const usedAtMost = () =>
  Object.fromEntries([...book.sight().backfills].map(([id, known]) => [id, known.usedAtMost]));
const rateOf = (leaseId: string) => book.send(leaseId)?.eventsPerSecond;
/** Its worker reports the newest grant. */
const settle = (leaseId: string) =>
  book.acknowledge(book.workerOf(leaseId) ?? '', leaseId, book.send(leaseId)?.sequence ?? 0);

describe('a backfill’s rate among its leases', () => {
  test('in equal parts, and what a lease had goes to another once its worker has reported the cut', () => {
    book.open(lease('ls_1'), 0);
    expect(plan({ bf: 1_000 })).toEqual(['ls_1']);
    settle('ls_1');
    book.open(lease('ls_2'), 0);
    plan({ bf: 1_000 });
    expect([rateOf('ls_1'), rateOf('ls_2')]).toEqual([500, 0]);
    plan({ bf: 1_000 });
    expect(rateOf('ls_2')).toBe(0);
    settle('ls_1');
    expect(plan({ bf: 1_000 })).toEqual(['ls_2']);
    expect([rateOf('ls_1'), rateOf('ls_2')]).toEqual([500, 500]);
  });

  test('a cut is none before the worker has told of it', () => {
    book.open(lease('ls_1'), 0);
    plan({ bf: 1_000 });
    settle('ls_1');
    plan({ bf: 200 });
    expect(book.grantedBy('p')).toEqual(new Map([['bf', 200]]));
    expect(usedAtMost()).toEqual({ bf: 1_000 });
    book.open(lease('ls_2', 'other'), 0);
    settle('ls_1');
    plan({ bf: 200, other: 300 });
    expect(usedAtMost()).toEqual({ bf: 200, other: 300 });
  });

  test('what a backfill has published is known since the lease that was told of last of all', () => {
    expect(book.sight().backfills.get('bf')?.toldMs).toBeUndefined();
    nowMs = 100;
    book.open(lease('ls_1', 'bf', 'wk_1'), 0);
    nowMs = 200;
    book.open(lease('ls_2', 'bf', 'wk_2'), 0);
    expect(book.sight().backfills.get('bf')?.toldMs).toBe(100);
    nowMs = 600;
    book.heard('ls_1', 10, 500);
    expect(book.sight().backfills.get('bf')?.toldMs, 'of the other nothing is').toBe(200);
    nowMs = 600;
    book.heard('ls_2', 0);
    expect(book.sight().backfills.get('bf')?.toldMs).toBe(500);
    book.lose('ls_1');
    expect(book.sight().backfills.get('bf')?.toldMs).toBe(600);
  });

  test('an older report settles nothing', () => {
    book.open(lease('ls_1'), 0);
    plan({ bf: 1_000 });
    const first = book.send('ls_1')?.sequence ?? 0;
    book.open(lease('ls_2'), 0);
    plan({ bf: 1_000 });
    book.acknowledge('wk', 'ls_1', first);
    plan({ bf: 1_000 });
    expect(rateOf('ls_2')).toBe(0);
  });

  test('nor does a worker that had the lease before, whatever it has heard of an earlier process', () => {
    book.open(lease('ls_1'), 0);
    plan({ bf: 1_000 });
    settle('ls_1');
    book.open(lease('ls_2'), 0);
    plan({ bf: 1_000 });
    book.acknowledge('wk_before', 'ls_1', Number.MAX_SAFE_INTEGER);
    plan({ bf: 1_000 });
    expect(rateOf('ls_2')).toBe(0);
  });

  test('the gap between two leases moves no rate; a lease that stays away does', () => {
    for (const id of ['ls_1', 'ls_2']) book.open(lease(id), 0);
    plan({ bf: 1_000 });
    for (const id of ['ls_1', 'ls_2']) settle(id);
    book.close('ls_2');
    nowMs += 1_000;
    plan({ bf: 1_000 });
    expect(rateOf('ls_1')).toBe(500);
    nowMs += 1_000;
    plan({ bf: 1_000 });
    expect(rateOf('ls_1')).toBe(1_000);
  });

  test('what a worker had that is gone goes to its successor at once', () => {
    for (const id of ['ls_1', 'ls_2']) book.open(lease(id, 'bf', 'wk_dead'), 0);
    plan({ bf: 1_000 });
    for (const id of ['ls_1', 'ls_2']) {
      settle(id);
      book.lose(id);
    }
    for (const id of ['ls_1', 'ls_2']) book.open(lease(id, 'bf', 'wk_new'), 0);
    plan({ bf: 1_000 });
    expect([rateOf('ls_1'), rateOf('ls_2')]).toEqual([500, 500]);
  });

  test('of two workers the slow one lends what it leaves lying, and has it again with the tick that wants it', () => {
    const published = { ls_a: 0, ls_b: 0 };
    book.open(lease('ls_a', 'bf', 'wk_a'), 0);
    book.open(lease('ls_b', 'bf', 'wk_b'), 0);
    /** A quarter of a second: a pass of the governor, and a tick of both. `yields`: of the source of the first. */
    const quarter = (yields: number) => {
      nowMs += 250;
      plan({ bf: 1_000 });
      for (const [id, workerId, most] of [
        ['ls_a', 'wk_a', yields],
        ['ls_b', 'wk_b', 5_000],
      ] as const) {
        published[id] += Math.min(rateOf(id) ?? 0, most) / 4;
        settle(id);
        book.heard(id, published[id]);
        book.followDemand(workerId);
        book.distribute('p');
      }
      return [rateOf('ls_a'), rateOf('ls_b')];
    };
    expect([quarter(5_000), quarter(5_000)].at(-1)).toEqual([500, 500]);
    for (let at = 0; at < 20; at++) quarter(100);
    expect(quarter(100)).toEqual([150, 850]);
    // The first tick shows it: the other is cut in it, and once it has reported that the rate is there.
    expect(quarter(5_000)).toEqual([500, 500]);
  });

  test('one that comes and goes lease by lease is not taken for slow', () => {
    book.open(lease('ls_b', 'bf', 'wk_b'), 0);
    for (let at = 0; at < 30; at++) {
      // An attempt that goes on where an earlier one had published a million.
      book.open(lease(`ls_${at}`, 'bf', 'wk_a'), 1_000_000);
      nowMs += 250;
      plan({ bf: 1_000 });
      settle(`ls_${at}`);
      settle('ls_b');
      plan({ bf: 1_000 });
      book.heard(`ls_${at}`, 1_000_000 + (rateOf(`ls_${at}`) ?? 0) / 4);
      book.close(`ls_${at}`);
      book.followDemand('wk_a');
    }
    book.open(lease('ls_last', 'bf', 'wk_a'), 0);
    plan({ bf: 1_000 });
    settle('ls_b');
    plan({ bf: 1_000 });
    expect(rateOf('ls_last')).toBe(500);
  });

  test('a backfill that leaves the plan leaves its rate to another when its worker has stopped', () => {
    book.open(lease('ls_a', 'a'), 0);
    book.open(lease('ls_b', 'b'), 0);
    plan({ a: 1_000, b: 0 });
    settle('ls_a');
    plan({ b: 1_000 });
    expect([rateOf('ls_a'), rateOf('ls_b')]).toEqual([0, 0]);
    settle('ls_a');
    plan({ b: 1_000 });
    expect(rateOf('ls_b')).toBe(1_000);
  });
});

describe('a lease of an earlier process of the api', () => {
  test('may be using anything: until its worker says what, it is granted nothing new and nobody else rises', () => {
    book.adopt(lease('ls_old'));
    book.open(lease('ls_new'), 0);
    plan({ bf: 1_000 });
    expect([rateOf('ls_old'), rateOf('ls_new')]).toEqual([undefined, 0]);
    expect(book.grantedBy('p')).toEqual(new Map([['bf', 0]]));
    book.learn('wk', 'ls_old', { sequence: 17, eventsPerSecond: 900 });
    plan({ bf: 1_000 });
    expect([rateOf('ls_old'), rateOf('ls_new')]).toEqual([500, 100]);
    // What it acts on is still the earlier process's.
    book.acknowledge('wk', 'ls_old', 17);
    plan({ bf: 1_000 });
    expect(rateOf('ls_new')).toBe(100);
    settle('ls_old');
    plan({ bf: 1_000 });
    expect([rateOf('ls_old'), rateOf('ls_new')]).toEqual([500, 500]);
  });

  test('nor does a lease of another backfill of the pipeline', () => {
    book.adopt(lease('ls_old', 'a'));
    book.open(lease('ls_new', 'b'), 0);
    plan({ a: 200, b: 800 });
    book.learn('another', 'ls_old', { sequence: 17, eventsPerSecond: 0 });
    expect([rateOf('ls_old'), rateOf('ls_new')]).toEqual([undefined, 0]);
    book.learn('wk', 'ls_old', { sequence: 17, eventsPerSecond: 1_000 });
    plan({ a: 200, b: 800 });
    expect([rateOf('ls_old'), rateOf('ls_new')]).toEqual([200, 0]);
    settle('ls_old');
    plan({ a: 200, b: 800 });
    expect(rateOf('ls_new')).toBe(800);
  });

  test('does not rise itself while another of them has not been heard', () => {
    for (const id of ['ls_1', 'ls_2']) book.adopt(lease(id));
    plan({ bf: 1_000 });
    book.learn('wk', 'ls_1', { sequence: 17, eventsPerSecond: 100 });
    plan({ bf: 1_000 });
    expect(rateOf('ls_1')).toBe(100);
    // Its process has ended.
    book.lose('ls_2');
    plan({ bf: 1_000 });
    expect(rateOf('ls_1')).toBe(1_000);
  });

  test('with a throttle that waits for it: for a grant of this process, also where its clock is behind the other’s', () => {
    book.adopt(lease('ls_old'));
    book.open(lease('ls_new'), 0);
    expect(book.newestSequences('bf')).toBeNull();
    const anHourAhead = clock.now() + 3_600_000;
    book.learn('wk', 'ls_old', { sequence: anHourAhead, eventsPerSecond: 500 });
    book.acknowledge('wk', 'ls_old', anHourAhead);
    plan({ bf: 200 });
    const awaited = book.newestSequences('bf')?.get('ls_old');
    expect(awaited).toBeGreaterThan(anHourAhead);
    expect(book.send('ls_old')?.sequence).toBe(awaited);
  });

  test('is not taken for one that has just ended', () => {
    book.open(lease('ls_1'), 0);
    book.close('ls_1');
    book.adopt(lease('ls_1'));
    expect(book.sight().leaseIds).toEqual([]);
    nowMs += 6_000;
    book.adopt(lease('ls_1'));
    expect(book.sight().leaseIds).toEqual(['ls_1']);
  });
});

describe('a governor that makes no plan any more', () => {
  beforeEach(() => {
    book.open(lease('ls_1'), 0);
    plan({ bf: 1_000 });
  });

  test('leaves what it granted valid for two seconds, however often workers ask', () => {
    expect(book.send('ls_1')).toMatchObject({ eventsPerSecond: 1_000, validForMs: grantValidMs });
    for (nowMs = 250; nowMs < grantValidMs; nowMs += 250)
      expect(book.send('ls_1')).toMatchObject({
        validForMs: grantValidMs - nowMs,
        safeEventsPerSecond: 100,
      });
    nowMs = grantValidMs + 500.5;
    expect(book.send('ls_1')).toMatchObject({ validForMs: 0, safeEventsPerSecond: 100 });
  });

  test('leaves nothing at all once a lease that nobody renewed would be over', () => {
    nowMs = leaseMs;
    expect(book.send('ls_1')).toMatchObject({ validForMs: 0, safeEventsPerSecond: 0 });
    plan({ bf: 1_000 });
    expect(book.send('ls_1')).toMatchObject({ validForMs: grantValidMs, safeEventsPerSecond: 100 });
  });
});
