/** Files of lines that are damaged, too large, elsewhere or not what they were said to be; and real flights against the oracle. */
import { appendFile, mkdir, mkdtemp, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, test } from 'vitest';
import type { LineSourceConfig } from '../../src/adapters/source-jsonl/config.ts';
import { openLineSource } from '../../src/adapters/source-jsonl/line-source.ts';
import type { HistoryBatch, HistorySource } from '../../src/data-plane/ports.ts';

const everything = { from: -8.64e15, to: 8.64e15 };
const at = '2001-01-01T00:00:00Z';

let folder: string;
const opened: HistorySource[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-lines-'));
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  await rm(folder, { recursive: true, force: true });
});

function open(path: string, more: Partial<LineSourceConfig> = {}, folders: string[] | null = null) {
  const source = openLineSource(
    {
      kind: 'jsonl',
      path,
      columns: { time: 't', key: 'k', value: 'v' },
      sources: { s: null },
      ...more,
    } as LineSourceConfig,
    { folders },
  );
  opened.push(source);
  return source;
}

async function readAll(source: HistorySource, after: string | null = null): Promise<HistoryBatch[]> {
  const batches = [];
  const request = {
    sourceId: 's',
    range: everything,
    after,
    maxEvents: 1000,
    signal: new AbortController().signal,
  };
  for await (const batch of source.read(request)) batches.push(batch);
  return batches;
}

const found = (batches: readonly HistoryBatch[]) => ({
  ids: batches.flatMap(({ events }) => events.map(({ id }) => id)),
  quarantined: batches.flatMap(({ quarantined }) =>
    quarantined.map(({ address, code, detail }) => `${address}: ${code}, ${detail}`),
  ),
});

const jsonl = (rows: number, from = 0) =>
  Array.from({ length: rows }, (_, row) => `{"t":"${at}","k":"a","v":${from + row}}\n`).join('');

describe('lines that are no events are quarantined by their address', () => {
  test.each([
    ['not JSON', '{"t":', 'not JSON'],
    ['no object', '[1]', 'not a JSON object'],
    ['not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'not UTF-8'],
    [
      'longer than a MiB',
      `{"t":"${at}","k":"a","v":1,"x":"${'x'.repeat(1 << 20)}"}`,
      'longer than 1048576 bytes',
    ],
  ])('%s', async (_name, line, detail) => {
    const path = join(folder, 'e.jsonl');
    await writeFile(
      path,
      Buffer.concat([Buffer.from(`${jsonl(1)}\n`), Buffer.from(line), Buffer.from(`\n${jsonl(1)}`)]),
    );
    expect(found(await readAll(open(path)))).toEqual({
      ids: ['e.jsonl#1', 'e.jsonl#4'],
      quarantined: [`e.jsonl line 3: unparsable, ${detail}`],
    });
  });

  test.each([
    ['a NUL in its key', { k: 'a\0' }, 'unparsable, k has a NUL'],
    ['a key that is too long', { k: 'k'.repeat(401) }, 'unparsable, k is longer than 400 characters'],
    ['an empty id', { i: '' }, 'missing_field, i is missing'],
    ['a NUL in its id', { i: '\0' }, 'unparsable, i has a NUL'],
    [
      'a time that stands for none',
      { t: '9999-12-31T00:00:00Z' },
      'value_out_of_range, t is not within 1970 to 2199 (timeFormat text)',
    ],
  ])('what no event may be: %s', async (_name, fault, detail) => {
    const path = join(folder, 'e.jsonl');
    const lines = ['a', 'b', 'c'].map((i) => ({ t: at, k: 'a', v: 1, i }));
    await writeFile(
      path,
      lines.map((line) => JSON.stringify(line.i === 'b' ? { ...line, ...fault } : line)).join('\n'),
    );
    const source = open(path, { columns: { time: 't', key: 'k', value: 'v', id: 'i' } });
    expect(found(await readAll(source))).toEqual({
      ids: ['a', 'c'],
      quarantined: [`e.jsonl line 2: ${detail}`],
    });
    const from = Date.parse(at);
    expect(await source.describe()).toMatchObject({ range: { from, to: from + 1 }, rows: 3 });
    expect([...((await source.count(60_000)).counts['s'] ?? [])]).toEqual([2]);
  });

  test.each([
    ['a field too many', `${at},a,1,2`, '4 fields where the header has 3'],
    ['a quote in a field', `${at},a"b"c,1`, 'a quote inside a field that does not begin with one'],
    [
      'broken UTF-8',
      Buffer.from([...Buffer.from(`${at},`), 0xff, ...Buffer.from(',1')]),
      'k is not a string',
    ],
  ])('CSV: %s', async (_name, line, detail) => {
    const path = join(folder, 'e.csv');
    await writeFile(
      path,
      Buffer.concat([
        Buffer.from(`\ufefft,k,v\r\n${at},a,1\n\n`),
        Buffer.from(line),
        Buffer.from(`\n${at},"a\nb",1\n${at},a,1`),
      ]),
    );
    expect(found(await readAll(open(path, { kind: 'csv' })))).toEqual({
      ids: ['e.csv#2', 'e.csv#5', 'e.csv#7'],
      quarantined: [`e.csv line 4: unparsable, ${detail}`],
    });
  });

  it('wherever blocks and pieces of the file end: CSV of which every third record is broken', async () => {
    const rows = Array.from({ length: 20_000 }, (_, row) =>
      row % 3 === 0 ? `${at},x"x,${row}\n` : `${at},a,${row}\n`,
    );
    const path = join(folder, 'e.csv');
    await writeFile(path, `t,k,v\n${rows.join('')}`);
    const batches = await readAll(open(path, { kind: 'csv' }));
    const { ids, quarantined } = found(batches);
    expect([new Set(ids).size, ids.length]).toEqual([13_333, 13_333]);
    expect([new Set(quarantined).size, quarantined.length]).toEqual([6_667, 6_667]);
    const middle = batches[9]?.cursor ?? '';
    expect(found(await readAll(open(path, { kind: 'csv' }), middle))).toEqual(found(batches.slice(10)));
  });
});

describe('what cannot be read is refused by its name', () => {
  const gz = (text: string) => gzipSync(Buffer.from(text));
  test.each<[string, string, Buffer | string, string, RegExp]>([
    [
      'gzip that ends too early',
      'e.jsonl.gz',
      gz(jsonl(3000)).subarray(0, -20),
      'source_corrupt',
      /e\.jsonl\.gz ends in the middle/,
    ],
    [
      'zstd that ends too early',
      'e.jsonl.zst',
      zstdCompressSync(Buffer.from(jsonl(3000))).subarray(0, -5),
      'source_corrupt',
      /ends in the middle/,
    ],
    ['gzip that is none', 'e.jsonl.gz', jsonl(3), 'source_corrupt', /named \.gz/],
    ['gzip with a flipped byte', 'e.jsonl.gz', flipped(gz(jsonl(3000))), 'source_corrupt', /is damaged/],
    ['a header without a column', 'e.csv', 't,key,v\n', 'source_schema', /e\.csv has no column k/],
    ['a header with a column twice', 'e.csv', 't,k,k,v\n', 'source_schema', /two columns k/],
    [
      'a quoted field that goes on behind its quote',
      'e.csv',
      `t,k,v\n${at},"a"b,1\n${at},a,1\n${at},"a",1\n`,
      'source_corrupt',
      /e\.csv: a quote in a quoted field/,
    ],
    [
      'a quote that is never closed',
      'e.csv',
      `t,k,v\n${at},"a,1\n${at},a,1\n`,
      'source_corrupt',
      /e\.csv: a quote is never closed/,
    ],
  ])('%s', async (_name, name, content, code, detail) => {
    const path = join(folder, name);
    await writeFile(path, content);
    const source = open(path, { kind: name.includes('csv') ? 'csv' : 'jsonl' });
    await expect(source.describe()).rejects.toMatchObject({ code, message: expect.stringMatching(detail) });
    await expect(readAll(source)).rejects.toMatchObject({ code });
  });

  it('a file whose name leaves no room for the number of a row, unless rows have ids of their own', async () => {
    const path = join(folder, 'd'.repeat(200), 'd'.repeat(190));
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'e.jsonl'), `{"t":"${at}","k":"a","v":1,"i":"one"}`);
    await expect(open(folder).describe()).rejects.toMatchObject({
      code: 'source_schema',
      message: expect.stringContaining('e.jsonl is too long for the ids of its rows'),
    });
    const named = open(folder, { columns: { time: 't', key: 'k', value: 'v', id: 'i' } });
    expect(found(await readAll(named)).ids).toEqual(['one']);
  });

  it('a folder without files of the kind, and nothing at all', async () => {
    await writeFile(join(folder, 'README.md'), 'no rows');
    await expect(open(folder).describe()).rejects.toMatchObject({
      code: 'source_missing',
      message: expect.stringContaining('no jsonl files'),
    });
    await expect(open(join(folder, 'gone.jsonl')).describe()).rejects.toMatchObject({
      code: 'source_missing',
    });
  });

  it('a file outside the folders that may be read, by its path or by a link', async () => {
    const inside = join(folder, 'inside');
    await mkdir(inside);
    await writeFile(join(folder, 'secret.jsonl'), jsonl(1));
    await symlink(join(folder, 'secret.jsonl'), join(inside, 'link.jsonl'));
    for (const path of [
      join(folder, 'secret.jsonl'),
      join(inside, '../secret.jsonl'),
      join(inside, 'link.jsonl'),
      inside,
      'relative.jsonl',
      '/nowhere',
    ])
      await expect(open(path, {}, [inside]).describe(), path).rejects.toMatchObject({
        code: 'source_denied',
      });
    await rm(join(inside, 'link.jsonl'));
    await writeFile(join(inside, 'own.jsonl'), jsonl(1));
    expect(found(await readAll(open(inside, {}, [inside]))).ids).toEqual(['own.jsonl#1']);
  });
});

it('reads every frame of a zstd file and every member of a gzip file', async () => {
  const parts = [jsonl(2000), jsonl(500, 2000)].map((text) => Buffer.from(text));
  const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4]);
  await writeFile(
    join(folder, 'a.jsonl.zst'),
    Buffer.concat([skippable, ...parts.map((part) => zstdCompressSync(part)), skippable]),
  );
  await writeFile(join(folder, 'b.jsonl.gz'), Buffer.concat(parts.map((part) => gzipSync(part))));
  const source = open(folder);
  expect((await source.describe()).rows).toBe(5000);
  expect(found(await readAll(source)).ids.length).toBe(5000);
});

it('goes on with the right row after a file has come that lies before', async () => {
  await writeFile(join(folder, 'b.jsonl'), jsonl(1500));
  const [first] = await readAll(open(folder));
  await writeFile(join(folder, 'a.jsonl'), jsonl(10));
  const rest = found(await readAll(open(folder), first?.cursor ?? '')).ids;
  expect([rest.length, rest[0]]).toEqual([500, 'b.jsonl#1001']);
});

it('notices a file that is changed under its reader', async () => {
  const path = join(folder, 'e.jsonl');
  await writeFile(path, jsonl(200_000));
  const reading = open(path)
    .read({
      sourceId: 's',
      range: everything,
      after: null,
      maxEvents: 10,
      signal: new AbortController().signal,
    })
    [Symbol.asyncIterator]();
  await reading.next();
  await truncate(path, 5000);
  await expect(
    (async () => {
      while ((await reading.next()).done !== true);
    })(),
  ).rejects.toMatchObject({ code: 'source_unavailable' });
  await appendFile(path, '');
  expect((await readFile(path)).length).toBe(5000);
});

function flipped(bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  const middle = copy.length >> 1;
  copy[middle] = (copy[middle] as number) ^ 0xff;
  return copy;
}
