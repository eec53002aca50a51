/** Who borrows a history, who names it, and when it is closed: in any order. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConfiguredSource, lendHistories } from '../../src/data-plane/history/lending.ts';
import { type HistorySource, SourceError } from '../../src/data-plane/ports.ts';
import { events, WorldHistory } from '../fixtures/worker-world.ts';

const source = (name: string): ConfiguredSource => ({ connector: 'memory', config: { name } });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Refuses what a closed one refuses; what it is asked ends when `end` says so. */
class WatchedHistory extends WorldHistory {
  readonly name: string;
  closed = 0;
  underWay = 0;
  readonly #ends: ((fails: boolean) => void)[] = [];

  constructor(name: string) {
    super(events(4));
    this.name = name;
  }

  override async count(stepMs: number) {
    return this.#during(() => super.count(stepMs));
  }

  override async *read(request: Parameters<HistorySource['read']>[0]) {
    for await (const batch of super.read(request)) {
      await this.#during(async () => undefined);
      yield batch;
    }
  }

  override async close() {
    this.closed += 1;
    for (const end of this.#ends.splice(0)) end(true);
  }

  end(fails: boolean): void {
    this.#ends.shift()?.(fails);
  }

  async #during<T>(answer: () => Promise<T>): Promise<T> {
    this.underWay += 1;
    const fails = this.closed > 0 || (await new Promise<boolean>((resolve) => void this.#ends.push(resolve)));
    this.underWay -= 1;
    if (this.closed > 0) throw new SourceError('source_unavailable', 'the source is closed');
    if (fails) throw new SourceError('source_corrupt', 'as arranged');
    return answer();
  }
}

function lending() {
  const opened: WatchedHistory[] = [];
  const lent = lendHistories(({ config }) => {
    const history = new WatchedHistory((config as { name: string }).name);
    opened.push(history);
    return history;
  });
  return { ...lent, opened, states: () => opened.map(({ name, closed }) => `${name}${closed || ''}`) };
}

const reading = (history: HistorySource) =>
  history
    .read({
      sourceId: 'east',
      range: { from: 0, to: 10 },
      after: null,
      maxEvents: 2,
      signal: new AbortController().signal,
    })
    [Symbol.asyncIterator]();

describe('a history', () => {
  test('is one for all sources of its configuration, and closed once when none has it', () => {
    const { historyOf, keepHistories, states } = lending();
    keepHistories([source('a'), source('b')]);
    expect(historyOf(source('a'))).toBe(historyOf(source('a')));
    historyOf(source('b'));
    keepHistories([source('b'), source('never asked for')]);
    keepHistories([source('b')]);
    expect(states()).toEqual(['a1', 'b']);
  });

  test('that is being counted is closed when the count is over, which is told as if nothing had happened', async () => {
    const { historyOf, keepHistories, opened, states } = lending();
    keepHistories([source('a')]);
    const counted = historyOf(source('a')).count(1);
    keepHistories([]);
    expect(states()).toEqual(['a']);
    opened[0]?.end(false);
    expect(await counted).toMatchObject({ estimated: false });
    expect(states()).toEqual(['a1']);
  });

  test('that is named again while it is counted is not closed', async () => {
    const { historyOf, keepHistories, opened, states } = lending();
    keepHistories([source('a')]);
    const before = historyOf(source('a'));
    const counted = before.count(1);
    keepHistories([]);
    keepHistories([source('a')]);
    opened[0]?.end(false);
    await counted;
    expect(states()).toEqual(['a']);
    expect(historyOf(source('a'))).toBe(before);
  });

  test('that has been closed is opened afresh for who still asks, and closed after that', async () => {
    const { historyOf, keepHistories, opened, states } = lending();
    keepHistories([source('a')]);
    const stale = historyOf(source('a'));
    keepHistories([]);
    const counted = stale.count(1);
    expect(states()).toEqual(['a1', 'a']);
    opened[1]?.end(false);
    expect(await counted).toMatchObject({ estimated: false });
    expect(states()).toEqual(['a1', 'a1']);
  });

  test.each<[string, (batches: AsyncIterator<unknown>, history: WatchedHistory) => Promise<unknown>]>([
    ['the reader leaves', async (batches) => batches.return?.()],
    [
      'there is no more',
      async (batches, history) => {
        const next = batches.next();
        await turn();
        history.end(false);
        await next;
        return batches.next();
      },
    ],
    [
      'it fails',
      async (batches, history) => {
        const next = batches.next();
        await turn();
        history.end(true);
        return expect(next).rejects.toThrow('as arranged');
      },
    ],
  ])('that is being read is closed when %s', async (_what, leave) => {
    const { historyOf, keepHistories, opened, states } = lending();
    keepHistories([source('a')]);
    const batches = reading(historyOf(source('a')));
    const first = batches.next();
    await turn();
    opened[0]?.end(false);
    expect(await first).toMatchObject({ done: false });
    keepHistories([]);
    await turn();
    expect(states()).toEqual(['a']);
    await leave(batches, opened[0] as WatchedHistory);
    expect(states()).toEqual(['a1']);
  });

  test('that cannot be opened is asked for again by the next', () => {
    let fails = true;
    const { historyOf, keepHistories } = lendHistories(() => {
      if (fails) throw new SourceError('source_schema', 'no such column');
      return new WatchedHistory('a');
    });
    keepHistories([source('a')]);
    expect(() => historyOf(source('a'))).toThrow('no such column');
    fails = false;
    expect(historyOf(source('a')).reach).toBe('local');
  });
});

const name = fc.constantFrom('a', 'b');
const step = fc.oneof(
  fc.record({ type: fc.constant('keep' as const), names: fc.uniqueArray(name) }),
  fc.record({ type: fc.constant('ask' as const), name }),
  fc.record({ type: fc.constantFrom('count' as const, 'read' as const), asked: fc.nat(7) }),
  fc.record({ type: fc.constantFrom('next' as const, 'leave' as const), reader: fc.nat(7) }),
  fc.record({ type: fc.constant('end' as const), opened: fc.nat(7), fails: fc.boolean() }),
  fc.record({ type: fc.constant('wait' as const) }),
);

test('in any order: none is closed under a borrower, none that is named is closed, one at most is open of a configuration, and what nobody names or borrows is closed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { historyOf, keepHistories, opened } = lending();
      let kept: readonly string[] = [];
      let wereGone: ReadonlySet<WatchedHistory> = new Set();
      const asked: HistorySource[] = [];
      const readers: AsyncIterator<unknown>[] = [];
      const closedUnder: unknown[] = [];
      const settled: Promise<unknown>[] = [];
      const borrowed = (call: Promise<unknown> | undefined) =>
        settled.push(
          (call ?? Promise.resolve()).catch(
            (error: Error) => error.message === 'as arranged' || closedUnder.push(error),
          ),
        );
      const pick = <T>(from: readonly T[], at: number) => from[at % Math.max(1, from.length)];
      for (const one of steps) {
        if (one.type === 'keep') {
          kept = one.names;
          keepHistories(kept.map(source));
        } else if (one.type === 'ask') asked.push(historyOf(source(one.name)));
        else if (one.type === 'count') borrowed(pick(asked, one.asked)?.count(1));
        else if (one.type === 'read') {
          const history = pick(asked, one.asked);
          if (history !== undefined) readers.push(reading(history));
        } else if (one.type === 'next') borrowed(pick(readers, one.reader)?.next());
        else if (one.type === 'leave') borrowed(pick(readers, one.reader)?.return?.());
        else if (one.type === 'end')
          pick(
            opened.filter(({ underWay }) => underWay > 0),
            one.opened,
          )?.end(one.fails);
        else await turn();
        const gone = opened.filter(({ closed }) => closed > 0);
        expect(gone.filter((history) => !wereGone.has(history) && kept.includes(history.name))).toEqual([]);
        wereGone = new Set(gone);
        const open = opened.filter(({ closed }) => closed === 0).map((history) => history.name);
        expect(new Set(open).size).toBe(open.length);
        expect(opened.filter(({ closed, underWay }) => closed > 1 || (closed > 0 && underWay > 0))).toEqual(
          [],
        );
      }
      for (const batches of readers) borrowed(batches.return?.());
      for (let calls = 0; calls <= steps.length; calls++) {
        for (const history of opened) history.end(false);
        await turn();
      }
      await Promise.all(settled);
      expect(closedUnder).toEqual([]);
      const open = opened.filter(({ closed }) => closed === 0).map((history) => history.name);
      expect(open.filter((one) => !kept.includes(one))).toEqual([]);
      expect(opened.every(({ closed }) => closed <= 1)).toBe(true);
    }),
    { numRuns: 300 },
  );
});
