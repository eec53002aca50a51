import { describe, expect, it } from 'vitest';
import {
  nextReplayRows,
  REPLAY_ROWS_FIRST,
  REPLAY_ROWS_LEAST,
  REPLAY_ROWS_MAX,
  REPLAY_ROWS_MIN,
} from '../../src/data-plane/apply/batch-size.ts';
import { CommitLatency } from '../../src/data-plane/apply/commit-latency.ts';
import { nextBatch } from '../../src/data-plane/apply/next-batch.ts';
import { VacuumSchedule } from '../../src/data-plane/apply/vacuum-schedule.ts';
import type { DeliveredEntry, Publisher } from '../../src/data-plane/ports.ts';

describe('rows of the next replay batch', () => {
  it.each([
    ['fast enough: a quarter more', { allowedRows: 100, rows: 100, commitMs: 5 }, 125],
    ['just below the target: a little more', { allowedRows: 100, rows: 100, commitMs: 19 }, 105],
    ['on target: the same', { allowedRows: 400, rows: 400, commitMs: 20 }, 400],
    ['twice too slow: half', { allowedRows: 400, rows: 400, commitMs: 40 }, 200],
    ['far too slow: a quarter at most', { allowedRows: 800, rows: 800, commitMs: 5_000 }, 200],
    ['never below the floor', { allowedRows: 60, rows: 60, commitMs: 5_000 }, REPLAY_ROWS_MIN],
    ['never above the ceiling', { allowedRows: 900, rows: 900, commitMs: 1 }, REPLAY_ROWS_MAX],
    ['not used, so it does not grow', { allowedRows: 400, rows: 10, commitMs: 1 }, 400],
    ['a batch of markers only says nothing', { allowedRows: 400, rows: 0, commitMs: 0 }, 400],
    [
      'a small batch that was too slow shrinks what is allowed',
      { allowedRows: 1_000, rows: 300, commitMs: 40 },
      150,
    ],
  ])('%s', (_, last, expected) => {
    expect(nextReplayRows(last, 20)).toBe(expected);
  });

  it('goes below the floor only for rows that are dear themselves, and comes back', () => {
    const slow = { allowedRows: 50, rows: 50, commitMs: 400 };
    expect(nextReplayRows(slow, 20, 300), 'live is as slow').toBe(REPLAY_ROWS_MIN);
    expect(nextReplayRows(slow, 20, 4)).toBeLessThan(20);
    expect(nextReplayRows({ allowedRows: 4, rows: 4, commitMs: 400 }, 20, 4)).toBe(REPLAY_ROWS_LEAST);
    let rows = REPLAY_ROWS_LEAST;
    for (let batch = 0; batch < 30; batch++)
      rows = nextReplayRows({ allowedRows: rows, rows, commitMs: 4 }, 20, 4);
    expect(rows).toBeGreaterThan(200);
  });

  describe('before the first live commit', () => {
    /** Rows of each batch, one after the other, on a store that takes so long. */
    const sizes = (msOf: (rows: number, batch: number) => number, batches = 40): number[] => {
      const latency = new CommitLatency();
      let rows = REPLAY_ROWS_FIRST;
      return Array.from({ length: batches }, (_, batch) => {
        const commitMs = msOf(rows, batch);
        latency.replay({ rows, commitMs });
        rows = nextReplayRows({ allowedRows: rows, rows, commitMs }, 20, latency.ms);
        return rows;
      });
    };

    it('dear rows are recognised by replay’s own commits, and live waits for none of them', () => {
      const dear = sizes((rows) => 4 + rows * 2);
      expect(dear[2]).toBeLessThan(25);
      expect(Math.max(...dear.slice(8))).toBeLessThanOrEqual(9);
      expect(Math.max(...sizes((rows) => 2 + rows * 200).slice(8))).toBe(REPLAY_ROWS_LEAST);
    });

    it('a store that is slow to answer is not taken for dear rows', () => {
      expect(sizes(() => 300)).toEqual(sizes(() => 300).map(() => REPLAY_ROWS_MIN));
      expect(Math.min(...sizes((rows) => 60 + rows * 0.05))).toBe(REPLAY_ROWS_MIN);
    });

    it('nor is one commit that something disturbed, for longer than it lasts', () => {
      const hiccup = sizes((rows, batch) => (batch === 0 ? 900 : 3 + rows * 0.05));
      expect(hiccup.at(-1)).toBeGreaterThan(300);
    });

    it('a store that becomes slow while batches are small brings them back', () => {
      const after = sizes((rows, batch) => (batch < 20 ? 4 : 80) + rows * 2, 60);
      expect(after[19]).toBeLessThan(10);
      expect(after.at(-1)).toBe(REPLAY_ROWS_MIN);
    });
  });

  it('live’s rows are not taken for the store’s latency: where both are dear, replay’s commits stay short', () => {
    for (const [rowMs, liveRows] of [
      [2, 8],
      [5, 10],
      [20, 5],
    ] as const) {
      const commitMsOf = (rows: number) => 3 + rows * rowMs;
      const latency = new CommitLatency();
      let rows = REPLAY_ROWS_FIRST;
      const commits = Array.from({ length: 60 }, () => {
        const commitMs = commitMsOf(rows);
        latency.replay({ rows, commitMs });
        rows = nextReplayRows({ allowedRows: rows, rows, commitMs }, 20, latency.ms);
        latency.live(commitMsOf(liveRows));
        return commitMs;
      });
      expect(Math.max(...commits.slice(10))).toBeLessThanOrEqual(
        Math.max(25, commitMsOf(REPLAY_ROWS_LEAST + 1)),
      );
    }
  });

  it('settles where a commit takes the target, and follows when the store gets slower', () => {
    const settle = (rows: number, msPerRow: number): number => {
      for (let batch = 0; batch < 100; batch++)
        rows = nextReplayRows({ allowedRows: rows, rows, commitMs: 2 + rows * msPerRow }, 20);
      return rows;
    };
    const fast = settle(REPLAY_ROWS_FIRST, 0.03);
    expect(fast).toBeGreaterThan(550);
    expect(fast).toBeLessThanOrEqual(600);
    expect(settle(fast, 0.12)).toBeLessThanOrEqual(150);
    expect(settle(fast, 5)).toBe(REPLAY_ROWS_MIN);
  });
});

describe('the next batch', () => {
  const live: Publisher = { kind: 'live' };
  const from = (backfillId: string): Publisher => ({ kind: 'backfill', backfillId });
  const entry = (offset: number, publisher: Publisher): DeliveredEntry => ({
    offset: String(offset),
    entry: {
      type: 'event',
      event: { id: `e${offset}`, sourceId: 's', key: 'k', at: offset, value: 1 },
      publisher,
      publishedAt: offset * 10,
    },
  });
  const marker = (offset: number, backfillId: string): DeliveredEntry => ({
    offset: String(offset),
    entry: { type: 'marker', backfillId, leaseId: 'l', fencingToken: 1, count: 1, publishedAt: 0 },
  });
  const decide = (lanes: { live?: DeliveredEntry[]; replay?: DeliveredEntry[] }, rows = 100) => {
    const batch = nextBatch(
      { live: lanes.live ?? [], replay: lanes.replay ?? [] },
      { live: rows, replay: rows, floor: 0 },
    );
    return (
      batch && {
        lane: batch.lane,
        entries: batch.entries,
        ids: batch.events.map((event) => event.id).join(),
        position: batch.position,
        publisher: batch.publisher,
        publishedAt: batch.publishedAt,
      }
    );
  };

  it('is none when nothing waits', () => {
    expect(decide({})).toBeNull();
  });

  it('is of live while live has any', () => {
    expect(decide({ live: [entry(1, live)], replay: [entry(1, from('a')), entry(2, from('a'))] })).toEqual({
      lane: 'live',
      entries: 1,
      ids: 'e1',
      position: '1',
      publisher: live,
      publishedAt: [10],
    });
  });

  it.each([
    [
      'ends where the publisher changes',
      [entry(1, from('a')), entry(2, from('a')), entry(3, from('b'))],
      100,
      { entries: 2, ids: 'e1,e2', position: '2', publisher: from('a') },
    ],
    [
      'passes markers before, between and behind',
      [marker(1, 'a'), entry(2, from('a')), marker(3, 'a'), entry(4, from('a')), marker(5, 'a')],
      100,
      { entries: 5, ids: 'e2,e4', position: '5' },
    ],
    [
      'counts events, not markers',
      [entry(1, from('a')), marker(2, 'a'), entry(3, from('a')), marker(4, 'a'), entry(5, from('a'))],
      2,
      { entries: 4, ids: 'e1,e3', position: '4' },
    ],
    [
      'passes the marker of one backfill with the events of another',
      [entry(1, from('a')), marker(2, 'b'), entry(3, from('a'))],
      100,
      { entries: 3, ids: 'e1,e3', publisher: from('a') },
    ],
    [
      'may be nothing but markers',
      [marker(1, 'a'), marker(2, 'a')],
      100,
      { entries: 2, ids: '', position: '2', publisher: from('a') },
    ],
  ])('%s', (_, replay, rows, expected) => {
    expect(decide({ replay }, rows)).toMatchObject({ lane: 'replay', ...expected });
  });
});

describe('the vacuum schedule', () => {
  it('is due in a quiet moment after some rows, or at last without one', () => {
    let now = 0;
    const schedule = new VacuumSchedule({ now: () => 0, monotonic: () => now });
    expect(schedule.isDue(true)).toBe(false);
    schedule.applied(12_000);
    expect(schedule.isDue(false)).toBe(false);
    expect(schedule.isDue(true)).toBe(true);
    schedule.applied(180_000);
    expect(schedule.isDue(false)).toBe(true);
    schedule.done();
    expect(schedule.isDue(true)).toBe(false);
    schedule.applied(1);
    now += 599_000;
    expect(schedule.isDue(true)).toBe(false);
    now += 1_000;
    expect(schedule.isDue(true)).toBe(true);
    expect(schedule.isDue(false)).toBe(false);
  });
});
