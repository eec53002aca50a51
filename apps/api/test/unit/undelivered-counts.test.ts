/** What a group has not been given, counted on from look to look: on a stream in memory, to which anything may happen. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CountLimits, UndeliveredCounts } from '../../src/adapters/stream-external/counts.ts';
import { entryIdOf } from '../../src/adapters/stream-external/entry-id.ts';

/** Ids are `0-1`, `0-2` and so on. */
class MemoryStream {
  entries: number[] = [];
  added = 0;
  newest = 0;
  delivered = 0;
  removed = 0;
  fetched = 0;
  duringFetch: () => void = () => undefined;

  add(count: number): void {
    for (let each = 0; each < count; each++) {
      this.newest += 1;
      this.entries.push(this.newest);
    }
    this.added += count;
  }

  deliver(count: number): void {
    this.delivered = this.undelivered().slice(0, count).at(-1) ?? this.delivered;
  }

  /** By their ids, so many from this place on; counted from the end when it is negative. */
  remove(from: number, count: number): void {
    this.removed = Math.max(this.removed, ...this.entries.splice(from, count));
  }

  trim(count: number): void {
    this.entries.splice(0, count);
  }

  undelivered(): number[] {
    return this.entries.filter((id) => id > this.delivered);
  }

  facts() {
    const [oldest] = this.entries;
    return {
      length: this.entries.length,
      newest: id(this.newest),
      oldest: oldest === undefined ? null : id(oldest),
      added: this.added,
      removed: id(this.removed),
    };
  }

  group() {
    return { name: 'g', delivered: id(this.delivered) };
  }

  redis = {
    xrange: async (_key: string, from: string, to: string, _count: 'COUNT', most: number) => {
      const found = this.entries
        .filter((one) => one > Number(from.slice('(0-'.length)) && one <= Number(to.slice('0-'.length)))
        .slice(0, most);
      this.fetched += found.length;
      this.duringFetch();
      return found.map((one): [string, string[]] => [`0-${one}`, ['event', '{}']]);
    },
  } as unknown as Parameters<UndeliveredCounts['count']>[0];
}

const id = (sequence: number) => entryIdOf(`0-${sequence}`);

function counting(limits: Partial<CountLimits> = {}) {
  const stream = new MemoryStream();
  const counts = new UndeliveredCounts('orders', { most: 20, piece: 5, few: 4, ...limits });
  const count = () => counts.count(stream.redis, stream.facts(), stream.group());
  return {
    stream,
    count,
    /** What it took to count them, with the number. */
    async look() {
      const before = stream.fetched;
      const entries = await count();
      return { entries, fetched: stream.fetched - before };
    },
  };
}

test.each<[string, (stream: MemoryStream) => void, { entries: number; fetched: number }]>([
  ['nothing happened: nothing is fetched', () => undefined, { entries: 15, fetched: 0 }],
  ['some were added: nothing is fetched', (stream) => stream.add(100), { entries: 115, fetched: 0 }],
  ['some were given: these are fetched', (stream) => stream.deliver(3), { entries: 12, fetched: 3 }],
  [
    'some were added and some given',
    (stream) => {
      stream.deliver(3);
      stream.add(10);
    },
    { entries: 22, fetched: 3 },
  ],
  [
    'all were given, and more came',
    (stream) => {
      stream.deliver(15);
      stream.add(3);
    },
    { entries: 3, fetched: 15 },
  ],
  ['one was removed that was not given', (stream) => stream.remove(-1, 1), { entries: 14, fetched: 14 }],
  [
    'one was removed that was given: nothing is fetched',
    (stream) => stream.remove(3, 1),
    { entries: 15, fetched: 0 },
  ],
  [
    'what was given was trimmed, but for the last: nothing is fetched',
    (stream) => {
      stream.trim(4);
      stream.add(6);
    },
    { entries: 21, fetched: 0 },
  ],
  ['some were trimmed that were not given', (stream) => stream.trim(8), { entries: 12, fetched: 12 }],
  [
    'one was removed that had been given, when more were given',
    (stream) => {
      stream.deliver(4);
      stream.remove(6, 1);
    },
    { entries: 11, fetched: 11 },
  ],
  [
    'as many were removed as were added',
    (stream) => {
      stream.add(4);
      stream.remove(-6, 4);
    },
    { entries: 15, fetched: 15 },
  ],
  ['the group was set back', (stream) => void (stream.delivered = 2), { entries: 18, fetched: 18 }],
  [
    'the stream was made anew',
    (stream) => {
      Object.assign(stream, { entries: [], added: 0 });
      stream.add(15);
    },
    { entries: 15, fetched: 15 },
  ],
])('fifteen, and then: %s', async (_what, happens, expected) => {
  const { stream, look } = counting();
  stream.add(20);
  stream.deliver(5);
  expect(await look()).toEqual({ entries: 15, fetched: 15 });
  happens(stream);
  expect(await look()).toEqual(expected);
});

test('where few wait, however many pass, the few are counted', async () => {
  const { stream, look } = counting();
  stream.add(20);
  stream.deliver(17);
  expect(await look()).toEqual({ entries: 3, fetched: 3 });
  stream.add(12);
  stream.deliver(12);
  expect(await look()).toEqual({ entries: 3, fetched: 3 });
});

test('what was counted and is passed before the end was reached is not fetched again', async () => {
  const { stream, look } = counting();
  stream.add(50);
  expect(await look()).toEqual({ entries: null, fetched: 20 });
  stream.deliver(25);
  expect(await look()).toEqual({ entries: null, fetched: 20 });
  expect(await look()).toEqual({ entries: 25, fetched: 5 });
});

test('more than are counted at once are unknown until the looks have come to the end, and known from then on', async () => {
  const { stream, look } = counting();
  stream.add(50);
  expect(await look()).toEqual({ entries: null, fetched: 20 });
  stream.deliver(2);
  expect(await look()).toEqual({ entries: null, fetched: 22 });
  stream.add(1);
  expect(await look()).toEqual({ entries: 49, fetched: 11 });
  stream.deliver(1);
  expect(await look()).toEqual({ entries: 48, fetched: 1 });
});

test('where entries are removed behind the group all the time, however many wait are known, and stay so', async () => {
  const { stream, look } = counting();
  stream.add(60);
  stream.deliver(10);
  for (let round = 0; round < 3; round++) {
    stream.remove(0, 1);
    await look();
  }
  stream.trim(2);
  stream.add(2);
  expect(await look()).toEqual({ entries: 52, fetched: 0 });
});

test('another stream under the same name, whose numbers would fit, is counted anew', async () => {
  const { stream, look } = counting();
  stream.add(20);
  stream.trim(2);
  stream.deliver(5);
  await look();
  stream.entries.unshift(1, 2);
  stream.added += 2;
  expect(await look()).toEqual({
    entries: stream.undelivered().length,
    fetched: stream.undelivered().length,
  });
});

test('what happens between the questions of a look is known by the next', async () => {
  const { stream, count } = counting();
  stream.add(20);
  const facts = stream.facts();
  stream.add(3);
  stream.deliver(22);
  const counts = new UndeliveredCounts('orders', { most: 20, piece: 5, few: 0 });
  // The group is ahead of the stream that was looked at before it.
  expect(await counts.count(stream.redis, facts, stream.group())).toBe(0);
  stream.add(6);
  expect(await counts.count(stream.redis, stream.facts(), stream.group())).toBe(7);
  stream.duringFetch = () => {
    stream.remove(-1, 1);
    stream.duringFetch = () => undefined;
  };
  await count();
  expect(await count()).toBe(stream.undelivered().length);
});

const small = fc.integer({ min: 1, max: 12 });
const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), count: small }) },
  { weight: 3, arbitrary: fc.record({ type: fc.constant('deliver' as const), count: small }) },
  fc.record({ type: fc.constantFrom('trim' as const, 'remove' as const, 'set' as const), count: fc.nat(40) }),
);
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never;

function happen(stream: MemoryStream, { type, count }: Event): void {
  if (type === 'add') stream.add(count);
  else if (type === 'deliver') stream.deliver(count);
  else if (type === 'trim') stream.trim(Math.floor(count / 4));
  else if (type === 'remove') stream.remove(count % Math.max(1, stream.entries.length), 1);
  else stream.delivered = Math.min(stream.newest, count);
}

test('whatever happens between the looks and during them, other looks too: one in peace is exact, or says that it does not know', async () => {
  const events = fc.array(fc.oneof({ weight: 2, arbitrary: event }, fc.constant('look' as const)), {
    maxLength: 60,
  });
  await fc.assert(
    fc.asyncProperty(
      events,
      fc.array(fc.oneof(event, fc.constant('look' as const)), { maxLength: 20 }),
      fc.nat(8),
      async (steps, during, few) => {
        const { stream, count } = counting({ few });
        const waiting = [...during];
        for (const step of steps) {
          if (step !== 'look') {
            happen(stream, step);
            continue;
          }
          const next = waiting.shift();
          stream.duringFetch = () => {
            stream.duringFetch = () => undefined;
            if (next === 'look') others.push(count());
            else if (next !== undefined) happen(stream, next);
          };
          const others: Promise<unknown>[] = [];
          await count();
          stream.duringFetch = () => undefined;
          await Promise.all(others);
          const expected = stream.undelivered().length;
          const counted = await count();
          // Where the newest was removed, only one question more could tell that the twentieth is the last.
          if (counted !== null) expect(counted).toBe(expected);
          else expect(expected).toBeGreaterThan(stream.entries.at(-1) === stream.newest ? 20 : 19);
        }
        const rest = async (): Promise<number> => (await count()) ?? rest();
        expect(await rest()).toBe(stream.undelivered().length);
      },
    ),
    { numRuns: 2_000 },
  );
});
