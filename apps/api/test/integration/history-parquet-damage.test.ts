/** A file that is missing, cut off, flipped or of another shape fails its own source, with an address, and nothing else. */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FilePlace } from '../../src/adapters/source-objects/files.ts';
import { Decoder } from '../../src/adapters/source-parquet/decoder.ts';
import { checkPages } from '../../src/adapters/source-parquet/pages.ts';
import { openParquetSource } from '../../src/adapters/source-parquet/parquet-source.ts';
import { placesOf } from '../../src/adapters/source-parquet/places.ts';
import { SourceError } from '../../src/data-plane/ports.ts';
import { flightsHistory } from '../../src/demo/flights.ts';
import { fixtureColumns, query, writeParquet } from '../conformance/source/parquet-fixture.ts';
import {
  batchesOf,
  conformanceSources,
  eventsIn,
  eventsOf,
  rowsFrom,
} from '../conformance/source/source-conformance.ts';

let folder: string;
let file: string;
const rows = rowsFrom({ count: 5000, from: Date.UTC(2001, 0, 1), seed: 9, sorted: true, damaged: false });
const everything = { from: -8.64e15, to: 8.64e15 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'parquet-damage-'));
  file = join(folder, 'events.parquet');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const open = (path = file, change: object = {}) =>
  openParquetSource({ file: path, columns: fixtureColumns, sources: conformanceSources, ...change });

async function readAll(source: ReturnType<typeof open>, after: string | null = null) {
  return eventsOf(
    await batchesOf(
      source.readAll({ range: everything, after, maxEvents: 1000, signal: new AbortController().signal }),
    ),
  );
}

/** Opens, reads everything, closes. */
async function readOnce(path = file, change: object = {}) {
  const source = open(path, change);
  try {
    return await readAll(source);
  } finally {
    await source.close();
  }
}

async function failureOf(promise: Promise<unknown>): Promise<SourceError> {
  const error = await promise.then(
    () => new Error('nothing failed'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SourceError);
  return error as SourceError;
}

describe('a Parquet file that cannot be read', () => {
  it('is missing, or a folder', async () => {
    expect((await failureOf(readOnce(join(folder, 'nothing.parquet')))).code).toBe('source_missing');
    expect((await failureOf(readOnce(folder))).code).toBe('source_missing');
  });

  it('is empty, or something else', async () => {
    for (const content of ['', 'PAR1', 'a,b,c\n1,2,3\n'.repeat(100)]) {
      await writeFile(file, content);
      expect(await failureOf(readOnce())).toMatchObject({
        code: 'source_corrupt',
        address: expect.stringMatching(/^byte \d+$/),
      });
    }
  });

  it('is the flights, cut off anywhere', async () => {
    const flights = flightsHistory();
    const path = join(folder, 'flights-cut.parquet');
    const { size } = await stat(flights.file);
    for (const length of [size - 1, size - 8, size - 3000, Math.floor(size / 2), 100_000, 11, 3]) {
      await copyFile(flights.file, path);
      await truncate(path, length);
      const { code, address } = await failureOf(
        readOnce(path, { columns: flights.columns, sources: flights.sources }),
      );
      expect({ code, address }).toEqual({
        code: 'source_corrupt',
        address: expect.stringMatching(/^byte \d+$/),
      });
    }
  });

  it('has its middle cut out, so that the footer points past it', async () => {
    await writeParquet(file, rows);
    const bytes = await readFile(file);
    await writeFile(file, Buffer.concat([bytes.subarray(0, 4000), bytes.subarray(bytes.length - 2500)]));
    expect(await failureOf(readOnce())).toMatchObject({
      code: 'source_corrupt',
      address: expect.stringMatching(/byte/),
    });
  });

  it('lacks a column, or has one of another type', async () => {
    await writeParquet(file, rows);
    const cases: [object, RegExp][] = [
      [
        { columns: { ...fixtureColumns, value: 'delay' } },
        /delay is missing; the file has happened, place, amount, other/,
      ],
      [{ columns: { ...fixtureColumns, time: 'other' } }, /time column other is .*not a TIMESTAMP/],
      [{ columns: { ...fixtureColumns, key: 'amount' } }, /key column amount is .*not a string/],
      [{ columns: { ...fixtureColumns, value: 'place' } }, /value column place is .*not an integer/],
    ];
    for (const [change, detail] of cases) {
      const error = await failureOf(readOnce(file, change));
      expect(error.code).toBe('source_schema');
      expect(error.message).toMatch(detail);
    }
    await query(
      `COPY (SELECT DATE '2001-01-01' AS happened, ['k1'] AS place, 1 AS amount) TO '${file}' (FORMAT parquet)`,
    );
    expect((await failureOf(readOnce())).code).toBe('source_schema');
  });

  it('is configured badly', () => {
    expect(() => open(file, { sources: { north: ['k1'], south: ['k1'] } })).toThrow(/k1.*north.*south/);
    expect(() => open(file, { columns: { time: 'happened' } })).toThrow(SourceError);
  });
});

describe('a decode thread that is given too much', () => {
  const { file: path, columns, sources } = flightsHistory();

  it.each([
    ['memory', { answerMs: 60_000, heapMiB: 6 }, /needs more than 6 MiB|could not be decoded/],
    ['time', { answerMs: 1, heapMiB: 512 }, /could not be decoded in 1 ms/],
  ])('fails its request and not the process (%s)', async (_, limits, detail) => {
    const place = new FilePlace(path, 'parquet', null);
    const [object] = await place.list();
    if (!object) throw new Error('the flights are one file');
    const generous = new Decoder(place, { columns, sources });
    const layout = await generous.ask({ kind: 'layout', object });
    await generous.close();
    const decoder = new Decoder(place, { columns, sources }, limits);
    const [group, next] = placesOf({ objects: [object], within: null }, [layout]);
    if (!group || !next) throw new Error('the flights have eleven row groups');
    const failures = await Promise.all(
      [group, next].map((each) => failureOf(decoder.ask({ kind: 'group', object, group: each }))),
    );
    expect(failures.map(({ message }) => message)).toEqual([
      expect.stringMatching(detail),
      expect.stringMatching(detail),
    ]);
    expect(failures.map(({ address }) => address)).toEqual(['row 0', `row ${next.firstRow}`]);
    await decoder.close();
    await expect(decoder.ask({ kind: 'layout', object })).rejects.toMatchObject({
      code: 'source_unavailable',
    });
  });

  it('is not started for a pipe', async () => {
    execFileSync('mkfifo', [join(folder, 'pipe.parquet')]);
    expect((await failureOf(readOnce(join(folder, 'pipe.parquet')))).code).toBe('source_missing');
  });
});

describe('a Parquet file that changes', () => {
  it('is read anew when it was repaired, and fails what was reading it', async () => {
    await writeParquet(file, rows);
    const good = await readFile(file);
    const source = open();
    const reading = source
      .readAll({ range: everything, after: null, maxEvents: 10, signal: new AbortController().signal })
      [Symbol.asyncIterator]();
    expect((await reading.next()).value?.events).toHaveLength(10);
    await writeFile(file, good.subarray(0, 5000));
    const under = (async () => {
      for (let batch = await reading.next(); !batch.done; batch = await reading.next());
    })();
    expect(await failureOf(under)).toMatchObject({ code: 'source_unavailable' });
    await source.close();

    await expect.poll(async () => (await failureOf(readOnce())).code).toBe('source_corrupt');
    await writeFile(file, good);
    expect(await readOnce()).toEqual(eventsIn(rows, (row) => `events.parquet#${row}`));
  });

  it('has the same fingerprint when only its time changed', async () => {
    await writeParquet(file, rows);
    const fingerprint = async () => {
      const source = open();
      const description = await source.describe();
      await source.close();
      return description.fingerprint;
    };
    const before = await fingerprint();
    await utimes(file, 1, 1);
    expect(await fingerprint()).toBe(before);
    const bytes = await readFile(file);
    bytes[2000] = (bytes[2000] as number) ^ 1;
    await writeFile(file, bytes);
    await utimes(file, 1, 1);
    expect(await fingerprint()).not.toBe(before);
  });
});

describe('flipped bits', () => {
  it.each(['uncompressed', 'zstd', 'snappy'] as const)(
    'give events or a SourceError, never anything else (%s)',
    async (codec) => {
      await writeParquet(file, rows, { codec, valueType: 'BIGINT' });
      const good = await readFile(file);
      const truth = eventsIn(rows, (row) => `events.parquet#${row}`);
      const outcomes = { found: 0, unnoticed: 0, harmless: 0 };
      let state = 42;
      const random = (below: number) => {
        state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
      };
      for (let trial = 0; trial < 20; trial++) {
        const bytes = Buffer.from(good);
        const at = random(bytes.length);
        bytes[at] = (bytes[at] as number) ^ (1 << random(8));
        await writeFile(file, bytes);
        try {
          const events = await readOnce();
          if (JSON.stringify(events) === JSON.stringify(truth)) outcomes.harmless++;
          else outcomes.unnoticed++;
        } catch (error) {
          expect(error).toBeInstanceOf(SourceError);
          expect(['source_corrupt', 'source_schema']).toContain((error as SourceError).code);
          outcomes.found++;
        }
      }
      console.log(`${codec}: of 20 flips ${JSON.stringify(outcomes)}`);
      expect(outcomes.found).toBeGreaterThan(0);
    },
    120_000,
  );

  it('in the middle of a data page are found where the page says something twice', async () => {
    // The flights' pages are compressed without a checksum; a stretch of flips breaks the compressed stream itself.
    const flights = flightsHistory();
    const path = join(folder, 'flights-flipped.parquet');
    const bytes = await readFile(flights.file);
    const inDelays = 132_852 + 100_000;
    for (let at = inDelays; at < inDelays + 64; at++) bytes[at] = (bytes[at] as number) ^ 0xff;
    await writeFile(path, bytes);
    const source = open(path, { columns: flights.columns, sources: flights.sources });
    const error = await failureOf(readAll(source));
    expect(error.code).toBe('source_corrupt');
    expect(error.message).toMatch(/row group 0, column delay/);
    expect(error.address).toMatch(/^(bytes? |row )\d+/);
    // The other row groups, and this process, are none the worse.
    expect((await readAll(source, '2900000')).length).toBe(100_000);
    await source.close();
  });

  it('are found by a page checksum, where there is one', () => {
    const page = Buffer.from('some page of ten values');
    const chunk = (crc: number) => {
      // PageHeader in Thrift's compact protocol: type, sizes, crc, data_page_header { num_values 10, encoding 0, levels 3, 3 }.
      const header = [
        0x15,
        0,
        0x15,
        ...zigzag(page.length),
        0x15,
        ...zigzag(page.length),
        0x15,
        ...zigzag(crc | 0),
        0x1c,
        0x15,
        20,
        0x15,
        0,
        0x15,
        6,
        0x15,
        6,
        0,
        0,
      ];
      const bytes = Uint8Array.from([...header, ...page]).buffer;
      return { bytes, at: 4, rows: 10, uncompressedBytes: bytes.byteLength, where: 'row group 0, column x' };
    };
    const crc = crc32(page);
    expect(() => checkPages(chunk(crc))).not.toThrow();
    expect(() => checkPages(chunk(crc ^ 1))).toThrow(/checksum/);
  });
});

function zigzag(value: number): number[] {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return [...bytes, rest];
}
