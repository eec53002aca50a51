/** A feed that is cut: what it leaves out is what it reports, however often it is killed, and however late it hears of anything. */
import type { WantedOutage } from '@spillway/shared/api/worker-protocol';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PipelineEvent } from '../../src/data-plane/event.ts';
import { runFeed } from '../../src/data-plane/feed/feed.ts';
import { followOutages, leaveOut } from '../../src/data-plane/feed/leave-out.ts';
import { type FeedPlace, type OutageSoFar, storedPlace } from '../../src/data-plane/feed/place.ts';
import type { HistoryBatch, StreamEntry, StreamProducer } from '../../src/data-plane/ports.ts';
import { virtual, virtualClock } from '../fixtures/worker-world.ts';

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

const sources = ['west', 'mountain', 'central', 'east'];
/** Several events share a time, as flights do; the last of every hundred lie a little in the future, as where two laps meet. */
const all: readonly PipelineEvent[] = Array.from({ length: 20_000 }, (_, row) => ({
  id: `e${row}`,
  sourceId: sources[(row * 7 + Math.floor(row / 5)) % 4] as string,
  key: 'k',
  at: 60_000 * Math.floor(row / 6) + (row % 100 >= 97 ? 120_000 : 0),
  value: 1,
}));

async function* forward({ after, maxEvents }: { after: string | null; maxEvents: number }) {
  for (let next = Number(after ?? 0); next < all.length; next += maxEvents)
    yield {
      events: all.slice(next, next + maxEvents),
      quarantined: [],
      cursor: String(Math.min(all.length, next + maxEvents)),
    } satisfies HistoryBatch;
}

class Killed extends Error {}

/** What survives a kill: the entries and the state, together. */
class Stream implements StreamProducer {
  readonly ids: string[] = [];
  state: string | null = null;
  /** Asked at each write: dies before it, behind it, or not. */
  fate: () => 'lives' | 'dies before' | 'dies behind' = () => 'lives';
  async append(entries: readonly StreamEntry[], state?: string) {
    this.#write(() => {
      this.ids.push(...entries.flatMap((entry) => (entry.type === 'event' ? [entry.event.id] : [])));
      this.state = state ?? this.state;
    });
    return { firstOffset: '', lastOffset: '', bytes: 0 };
  }
  async keepState(state: string) {
    this.#write(() => void (this.state = state));
  }
  async producerState() {
    return this.state;
  }
  async length() {
    return 0;
  }
  #write(commit: () => void) {
    const fate = this.fate();
    if (fate === 'dies before') throw new Killed();
    commit();
    if (fate === 'dies behind') throw new Killed();
  }
}

function startFeed(
  stream: Stream,
  wanted: () => readonly WantedOutage[],
  eventsPerSecond: () => number | null = () => 1_000,
) {
  const stop = new AbortController();
  const told: FeedPlace[] = [];
  const ended = runFeed({
    events: forward,
    liveFrom: 0,
    producer: stream,
    isRead: async () => true,
    clock: virtualClock,
    signal: stop.signal,
    eventsPerSecond,
    outages: wanted,
    played: (_count, _bytes, place) => told.push(place),
  });
  return {
    told,
    ended,
    async stop() {
      stop.abort();
      await pass(100);
      await ended;
    },
  };
}

const played = (stream: Stream) => all.slice(0, Number(storedPlace(stream.state).cursor));
const within = ({ at }: PipelineEvent, { from, to }: { from: number; to: number }) => from <= at && at < to;

test('a cut source is left out, the others go on at their pace, and the outage covers what was left out exactly', async () => {
  const stream = new Stream();
  let wanted: WantedOutage[] = [];
  const feed = startFeed(stream, () => wanted);
  await pass(1_000);
  wanted = [{ outageId: 'o1', sourceId: 'west', ended: false }];
  await pass(2_000);
  expect(feed.told.at(-1)?.outages).toMatchObject([{ outageId: 'o1', sourceId: 'west', ended: false }]);
  wanted = [{ outageId: 'o1', sourceId: 'west', ended: true }];
  await pass(1_000);
  const outage = feed.told.at(-1)?.outages[0] as OutageSoFar;
  expect(outage.ended).toBe(true);
  wanted = [];
  await pass(1_000);
  expect(feed.told.at(-1)?.outages).toEqual([]);
  await feed.stop();

  const passed = played(stream);
  expect(Math.abs(passed.length - 5_000)).toBeLessThan(100);
  const published = new Set(stream.ids);
  const left = passed.filter(({ id }) => !published.has(id));
  expect(stream.ids.length).toBe(published.size);
  expect(left.length).toBeGreaterThan(400);
  expect(left.every((event) => event.sourceId === 'west' && within(event, outage))).toBe(true);
  expect(outage.to).toBe(Math.max(...left.map(({ at }) => at)) + 1);
});

test('with every source cut the place still moves on, also over a kill', async () => {
  const stream = new Stream();
  const wanted = sources.map((sourceId) => ({ outageId: sourceId, sourceId, ended: false }));
  const feed = startFeed(stream, () => wanted);
  await pass(2_000);
  await feed.stop();
  expect(stream.ids).toEqual([]);
  const before = played(stream).length;
  expect(before).toBeGreaterThan(1_900);
  const again = startFeed(stream, () => wanted);
  await pass(1_000);
  await again.stop();
  expect(played(stream).length).toBeGreaterThan(before + 900);
  expect(storedPlace(stream.state).outages.map(({ from }) => from)).toEqual([0, 0, 0, 0]);
});

test('where nothing is played outages begin and end, empty; a feed that stands by touches nothing', async () => {
  const stream = new Stream();
  let rate: number | null = 1_000;
  let wanted: WantedOutage[] = [];
  const feed = startFeed(
    stream,
    () => wanted,
    () => rate,
  );
  await pass(500);
  rate = null;
  await pass(100);
  wanted = [{ outageId: 'o1', sourceId: 'west', ended: false }];
  const state = stream.state;
  await pass(1_000);
  expect(stream.state).toBe(state);
  rate = 0;
  await pass(200);
  const { reached, outages } = storedPlace(stream.state);
  expect(outages).toEqual([{ outageId: 'o1', sourceId: 'west', from: reached, to: reached, ended: false }]);
  wanted = [{ outageId: 'o1', sourceId: 'west', ended: true }];
  await pass(200);
  expect(feed.told.at(-1)?.outages).toMatchObject([{ from: reached, to: reached, ended: true }]);
  await feed.stop();
});

test('a place kept before outages were is taken up', () => {
  expect(storedPlace('0:row 12')).toEqual({ cursor: '0:row 12', reached: null, outages: [] });
});

describe('what is left out of a batch', () => {
  test('an outage that ended stays ended, one unheard of is empty, one no longer wanted is dropped', () => {
    const known: OutageSoFar[] = [
      { outageId: 'a', sourceId: 'west', from: 1, to: 5, ended: true },
      { outageId: 'b', sourceId: 'west', from: 5, to: 6, ended: false },
    ];
    expect(
      followOutages(
        known,
        [
          { outageId: 'a', sourceId: 'west', ended: false },
          { outageId: 'c', sourceId: 'east', ended: true },
        ],
        9,
      ),
    ).toEqual([known[0], { outageId: 'c', sourceId: 'east', from: 9, to: 9, ended: true }]);
  });

  test('every event is published or within an outage of its source that has not ended', () => {
    const event = fc.record({ sourceId: fc.constantFrom(...sources), at: fc.integer({ min: 0, max: 50 }) });
    const outage = fc.record({
      sourceId: fc.constantFrom(...sources),
      from: fc.integer({ min: 0, max: 50 }),
      ended: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(event), fc.array(outage, { maxLength: 4 }), (given, open) => {
        const events = given.map((one, index) => ({ ...one, id: `${index}`, key: 'k', value: 0 }));
        const before = open.map((one, index) => ({ ...one, outageId: `${index}`, to: one.from }));
        const { live, outages } = leaveOut(events, before);
        for (const one of events) {
          const cut = outages.filter(({ sourceId, ended }) => sourceId === one.sourceId && !ended);
          expect(live.includes(one)).toBe(cut.length === 0);
          for (const outage of cut) expect(within(one, outage)).toBe(true);
        }
        for (const [index, { ended }] of outages.entries())
          if (ended) expect(outages[index]).toEqual(before[index]);
      }),
    );
  });
});

/** The control plane in a few lines: opens and closes gaps, hears ticks late, its messages arrive late or never. */
class Plane {
  readonly gaps: {
    id: string;
    sourceId: string;
    from: number;
    known: boolean;
    to: number | null;
    reconnected: boolean;
  }[] = [];
  wanted(): WantedOutage[] {
    return this.gaps
      .filter(({ to }) => to === null)
      .map(({ id, sourceId, reconnected }) => ({ outageId: id, sourceId, ended: reconnected }));
  }
  toggle(sourceId: string, reached: number) {
    const open = this.gaps.find((gap) => gap.sourceId === sourceId && !gap.reconnected);
    if (open === undefined)
      this.gaps.push({
        id: `o${this.gaps.length}`,
        sourceId,
        from: reached,
        known: false,
        to: null,
        reconnected: false,
      });
    else open.reconnected = true;
  }
  hear(outages: readonly OutageSoFar[]) {
    for (const { outageId, from, to, ended } of outages) {
      const gap = this.gaps.find(({ id }) => id === outageId);
      if (gap === undefined || gap.to !== null) continue;
      gap.from = gap.known ? Math.min(gap.from, from) : from;
      gap.known = true;
      if (ended && gap.reconnected) gap.to = Math.max(gap.from, to);
    }
  }
}

test('however it is killed and however late it hears, the gaps cover all that was left out', async () => {
  const step = fc.record({
    toggle: fc.option(fc.constantFrom(...sources), { freq: 2 }),
    /** The settings as they are now arrive; older ones; or none. */
    settings: fc.constantFrom('now', 'now', 'older', 'lost'),
    hears: fc.boolean(),
    kill: fc.constantFrom('no', 'no', 'no', 'dies before', 'dies behind'),
    ms: fc.integer({ min: 5, max: 300 }),
  });
  let leftOut = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const stream = new Stream();
      const plane = new Plane();
      let older: WantedOutage[] = [];
      let wanted: WantedOutage[] = plane.wanted();
      let feed = startFeed(stream, () => wanted);
      const restarted = async () => {
        await pass(500);
        await expect(feed.ended).rejects.toThrow(Killed);
        stream.fate = () => 'lives';
        // It joins anew, and is told how things stand.
        wanted = plane.wanted();
        feed = startFeed(stream, () => wanted);
      };
      for (const { toggle, settings, hears, kill, ms } of steps) {
        older = plane.wanted();
        if (toggle !== null) plane.toggle(toggle, feed.told.at(-1)?.reached ?? 0);
        if (settings !== 'lost') wanted = settings === 'now' ? plane.wanted() : older;
        await pass(ms);
        if (hears) plane.hear(feed.told.at(-1)?.outages ?? []);
        if (kill !== 'no') {
          feed.ended.catch(() => {});
          stream.fate = () => kill;
          await restarted();
        }
      }
      // All is connected again, everything is heard.
      for (const { sourceId, reconnected } of [...plane.gaps]) if (!reconnected) plane.toggle(sourceId, 0);
      for (let round = 0; round < 2; round++) {
        wanted = plane.wanted();
        await pass(100);
        plane.hear(feed.told.at(-1)?.outages ?? []);
      }
      expect(plane.wanted()).toEqual([]);
      await feed.stop();

      const published = new Set(stream.ids);
      expect(stream.ids.length).toBe(published.size);
      const missing = played(stream).filter(({ id }) => !published.has(id));
      leftOut += missing.length;
      for (const event of missing) {
        const covered = plane.gaps.some(
          (gap) => gap.sourceId === event.sourceId && within(event, { from: gap.from, to: gap.to as number }),
        );
        expect(
          covered,
          `${event.id} of ${event.sourceId} at ${event.at} in ${JSON.stringify(plane.gaps)}`,
        ).toBe(true);
      }
    }),
    { numRuns: 60 },
  );
  expect(leftOut).toBeGreaterThan(1_000);
});
