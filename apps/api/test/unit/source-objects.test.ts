/** What a reader is told of objects that are replaced while they are looked at. Time is the test's: a read ends when it is let go. */
import { expect, test } from 'vitest';
import { openLines } from '../../src/adapters/source-jsonl/line-source.ts';
import type { ObjectPlace, StoredObject } from '../../src/adapters/source-objects/objects.ts';
import { openParquet } from '../../src/adapters/source-parquet/parquet-source.ts';
import type { HistorySource } from '../../src/data-plane/ports.ts';

const columns = { time: 'at', key: 'key', value: 'value' } as const;
const sources = { only: ['a'] };

const kinds: readonly [string, string, (place: ObjectPlace) => HistorySource][] = [
  ['Parquet', 'history.parquet', (place) => openParquet(place, { columns, sources })],
  ['compressed lines', 'history.jsonl.gz', (place) => openLines(place, { kind: 'jsonl', columns, sources })],
];

/** Bytes that are no history of any kind. */
const damage = Buffer.alloc(1_000, 0xff);

/** One object, whose reads take until `letGo`. */
class SlowPlace implements ObjectPlace {
  readonly reach = 'local';
  readonly pieceBytes = { first: 1_000, most: 1_000 };
  readonly paysByRead = false;
  readonly lookMs = 60_000;
  readonly shown: string;
  version = 'damaged';
  readonly asked = Promise.withResolvers<void>();
  readonly #reading = Promise.withResolvers<void>();
  readonly letGo = () => this.#reading.resolve();

  constructor(shown: string) {
    this.shown = shown;
  }

  async list(): Promise<readonly StoredObject[]> {
    const { shown, version } = this;
    return [{ name: shown, path: shown, bytes: damage.length, version }];
  }

  async open() {
    const read = async (from: number, to: number) => {
      this.asked.resolve();
      await this.#reading.promise;
      return Buffer.from(damage.subarray(from, to));
    };
    return { read, close: async () => undefined };
  }

  async fingerprint(): Promise<string> {
    return this.version;
  }

  async close(): Promise<void> {}
}

async function whatReadingTells(history: HistorySource): Promise<unknown> {
  const signal = new AbortController().signal;
  const range = { from: 0, to: 1e12 };
  try {
    for await (const batch of history.read({ sourceId: 'only', range, after: null, maxEvents: 10, signal }))
      expect(batch.events).toEqual([]);
    return null;
  } catch (error) {
    return error;
  }
}

for (const [kind, name, open] of kinds) {
  test(`${kind}: what was wrong with an object that has been replaced is not held against the new one`, async () => {
    const place = new SlowPlace(name);
    const history = open(place);
    const looking = history.describe().catch((error: unknown) => error);
    await place.asked.promise;
    place.version = 'mended';
    const reading = whatReadingTells(history);
    place.letGo();
    expect(await reading).toMatchObject({ code: 'source_unavailable' });
    expect(await looking).toMatchObject({ code: 'source_unavailable' });
    await history.close();
  });

  test(`${kind}: what is wrong with an object that still lies there is told`, async () => {
    const place = new SlowPlace(name);
    const history = open(place);
    const reading = whatReadingTells(history);
    place.letGo();
    expect(await reading).not.toMatchObject({ code: 'source_unavailable' });
    expect(await reading).toMatchObject({ code: expect.stringMatching(/^source_/) });
    await history.close();
  });
}
