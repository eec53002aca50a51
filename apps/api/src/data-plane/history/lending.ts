/**
 * Opened histories are lent, a call at a time: whoever describes, counts or reads one has borrowed it until that is over, and need not know.
 *
 *     opened   by the call that finds none of that configuration
 *     shared   by all sources that have it: what is decoded, and how many connections there are
 *     kept     between calls while a source names it
 *     closed   when no source names it and nobody has borrowed it, whichever comes last
 *
 * Whether it is closed is decided in the same turn of the event loop in which the last borrower gives it back or the names change, and who borrows is
 * counted in the same turn in which it is found: nobody comes in between, and none is closed under a reader. Who still calls what was lent by a
 * history that has been closed gets a fresh one, for as long as the call takes.
 */
import type { HistoryBatch, HistorySource } from '../ports.ts';

export interface ConfiguredSource {
  readonly connector: string;
  readonly config: unknown;
}

export interface LentHistories {
  /** The same for all sources of one configuration, while it is open. Errors: those of opening it. */
  historyOf(source: ConfiguredSource): HistorySource;
  /** From now on those of these sources are kept open between calls, and no others. */
  keepHistories(sources: readonly ConfiguredSource[]): void;
}

interface Opened {
  readonly history: HistorySource;
  readonly lent: HistorySource;
  /** Calls that are not over. */
  borrowed: number;
}

export function lendHistories(open: (source: ConfiguredSource) => HistorySource): LentHistories {
  const opened = new Map<string, Opened>();
  let kept: ReadonlySet<string> = new Set();

  function borrow(source: ConfiguredSource): Opened {
    const key = configurationKey(source);
    const one = opened.get(key) ?? openOne(source);
    opened.set(key, one);
    one.borrowed += 1;
    return one;
  }

  function giveBack(source: ConfiguredSource, one: Opened): void {
    one.borrowed -= 1;
    closeUnused(configurationKey(source), one);
  }

  function closeUnused(key: string, { history, borrowed }: Opened): void {
    if (borrowed > 0 || kept.has(key)) return;
    opened.delete(key);
    void history.close().catch(() => undefined);
  }

  function openOne(source: ConfiguredSource): Opened {
    const history = open(source);

    async function during<T>(call: (history: HistorySource) => Promise<T>): Promise<T> {
      const one = borrow(source);
      try {
        return await call(one.history);
      } finally {
        giveBack(source, one);
      }
    }

    const lent: HistorySource = {
      reach: history.reach,
      describe: () => during((one) => one.describe()),
      version: () => during((one) => one.version()),
      count: (stepMs) => during((one) => one.count(stepMs)),
      async *read(request): AsyncGenerator<HistoryBatch, void> {
        const one = borrow(source);
        try {
          yield* one.history.read(request);
        } finally {
          giveBack(source, one);
        }
      },
      // Whose it is closes it.
      close: async () => undefined,
    };
    return { history, lent, borrowed: 0 };
  }

  return {
    historyOf(source) {
      const one = borrow(source);
      giveBack(source, one);
      return one.lent;
    },
    keepHistories(sources) {
      kept = new Set(sources.map(configurationKey));
      for (const [key, one] of opened) closeUnused(key, one);
    },
  };
}

/** The same for all sources of one configuration. */
export function configurationKey({ connector, config }: ConfiguredSource): string {
  return JSON.stringify([connector, config]);
}
