/** An object store that is slow, broken, elsewhere or changed meanwhile: tried again where that may help, and otherwise refused by name. */
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, test } from 'vitest';
import { openS3Source, type S3SourceConfig } from '../../src/adapters/source-s3/s3-source.ts';
import type { HistorySource, SourceScan } from '../../src/data-plane/ports.ts';
import { query } from '../conformance/source/parquet-fixture.ts';
import { batchesOf, eventsOf } from '../conformance/source/source-conformance.ts';
import {
  end,
  refuse,
  reset,
  S3_CREDENTIALS,
  type S3Front,
  type S3Server,
  startS3,
  startS3Front,
} from '../fixtures/s3-server.ts';

const everything = { from: -8.64e15, to: 8.64e15 };
const HOUR = 3_600_000;
const begin = Date.UTC(2001, 0, 1);

let server: S3Server;
let folder: string;
let front: S3Front;
let bucket: string;
let made = 0;
const opened: HistorySource[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'history-s3-'));
  server = await startS3();
});
afterAll(async () => {
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  bucket = `bucket-${++made}`;
  await server.createBucket(bucket);
  front = await startS3Front(server);
});
afterEach(async () => {
  for (const source of opened.splice(0)) await source.close();
  await front.close();
});

function open(more: Partial<S3SourceConfig> = {}, options: { patienceMs?: number } = {}): HistorySource {
  const source = openS3Source(
    {
      kind: 's3',
      bucket,
      endpoint: front.endpoint,
      credentials: S3_CREDENTIALS,
      format: 'jsonl',
      columns: { time: 't', key: 'k', value: 'v' },
      sources: { s: null },
      ...more,
    },
    { lookMs: 0, ...options },
  );
  opened.push(source);
  return source;
}

async function readAll(source: HistorySource, range = everything, scanned?: (scan: SourceScan) => void) {
  const signal = new AbortController().signal;
  return eventsOf(
    await batchesOf(source.read({ sourceId: 's', range, after: null, maxEvents: 1000, signal, scanned })),
  );
}

const jsonl = (rows: number, first = 0) =>
  Array.from({ length: rows }, (_, row) => {
    const number = first + row;
    return `{"t":"${new Date(begin + number * 60_000).toISOString()}","k":"a","v":${number}}\n`;
  }).join('');
const csv = (rows: number, first = 0) =>
  `t,k,v\n${Array.from({ length: rows }, (_, row) => `${new Date(begin + (first + row) * 60_000).toISOString()},a,${first + row}\n`).join('')}`;
const put = (key: string, body: Buffer | string) => server.put(bucket, key, body);
const reads = () => front.asked.filter((one) => !one.includes('list-type'));

test('more than a thousand objects are listed page by page, and none is lost', async () => {
  const names = Array.from({ length: 1_050 }, (_, number) => `${String(number).padStart(4, '0')}.jsonl`);
  for (let first = 0; first < names.length; first += 50)
    await Promise.all(
      names.slice(first, first + 50).map((name, index) => put(`many/${name}`, jsonl(1, first + index))),
    );
  const source = open({ prefix: 'many/' });
  expect((await source.describe()).rows).toBe(1_050);
  expect(front.asked.filter((one) => one.includes('list-type')).length).toBe(2);
  const found = await readAll(source, { from: begin + 1_000 * 60_000, to: begin + 1_003 * 60_000 });
  expect(found.map(({ id }) => id)).toEqual(['1000.jsonl#1', '1001.jsonl#1', '1002.jsonl#1']);
});

describe('what may pass is tried again', () => {
  it.each([
    ['503 SlowDown', (answer) => refuse(answer, 503, 'SlowDown')],
    ['500', (answer) => refuse(answer, 500, 'InternalError')],
    ['429 without a word', (answer) => end(answer, 429)],
    ['a reset', reset],
    ['an answer that is cut off', () => 'cut off'],
  ] satisfies [string, (answer: Parameters<Parameters<S3Front['spoil']>[0]>[1]) => 'answered' | 'cut off'][])(
    '%s',
    async (_name, spoil) => {
      await put('a.jsonl', jsonl(3_000));
      await put('b.jsonl.gz', gzipSync(jsonl(3_000, 3_000)));
      let asked = 0;
      front.spoil((_asked, answer) => (asked++ % 2 === 0 ? spoil(answer) : 'passed on'));
      const found = await readAll(open());
      expect(found.map(({ value }) => value)).toEqual(Array.from({ length: 6_000 }, (_, row) => row));
      expect(asked).toBeGreaterThan(6);
    },
  );

  it('but not for ever, and not after the source is closed', async () => {
    await put('a.jsonl', jsonl(1));
    front.spoil((_asked, answer) => refuse(answer, 503, 'SlowDown'));
    await expect(open({}, { patienceMs: 300 }).describe()).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringMatching(new RegExp(`${bucket}.*503 SlowDown`)),
    });
    expect(front.asked.length).toBeGreaterThan(1);
    const closing = open();
    const failure = expect(closing.describe()).rejects.toMatchObject({ message: 'the source is closed' });
    await expect.poll(() => front.asked.length).toBeGreaterThan(4);
    await closing.close();
    await failure;
  });
});

describe('what will not pass is refused by its name, and nothing of the answer is repeated', () => {
  const secret = 'canary-of-a-secret-access-key';
  it.each<[string, Partial<S3SourceConfig>, string, RegExp]>([
    [
      'a wrong secret',
      { credentials: { ...S3_CREDENTIALS, secretAccessKey: secret } },
      'source_denied',
      /bucket-\d+ .*refuses the secret/,
    ],
    [
      'an unknown key',
      { credentials: { accessKeyId: 'canary-of-a-key', secretAccessKey: secret } },
      'source_denied',
      /does not know the access key/,
    ],
    ['a bucket that is missing', { bucket: 'no-such-bucket' }, 'source_missing', /no bucket no-such-bucket/],
    ['a prefix without objects', { prefix: 'nothing/' }, 'source_missing', /below nothing\/ holds no jsonl/],
    ['objects of another kind', { format: 'csv' }, 'source_missing', /holds no csv objects/],
    [
      'a template that does not fit',
      { partitions: 'year={YYYY}' },
      'source_schema',
      /does not fit s3:\/\/bucket-\d+\/a\.jsonl/,
    ],
  ])('%s', async (_name, more, code, message) => {
    await put('a.jsonl', jsonl(1));
    const failure = await open(more)
      .describe()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ name: 'SourceError', code, message: expect.stringMatching(message) });
    expect(`${failure} ${JSON.stringify(failure)}`).not.toContain('canary');
  });

  it.each([
    [301, 'PermanentRedirect', 'source_schema', /is in region eu-west-3, not us-east-1/],
    [403, 'AccessDenied', 'source_denied', /s3:ListBucket and s3:GetObject/],
    [403, 'RequestTimeTooSkewed', 'source_denied', /clock/],
    [400, 'ExpiredToken', 'source_denied', /has expired/],
    [400, 'KeyTooLongError', 'source_schema', /400 KeyTooLongError/],
  ])('%i %s', async (status, code, expected, message) => {
    front.spoil((_asked, answer) => {
      answer.setHeader('x-amz-bucket-region', 'eu-west-3');
      return refuse(answer, status, code);
    });
    const failure = await open()
      .describe()
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: expected, message: expect.stringMatching(message) });
    expect(String(failure)).not.toContain('canary');
    expect(front.asked.length).toBe(1);
  });

  it('a server of another kind, and one without ranges', async () => {
    await put('a.jsonl', jsonl(8_000));
    front.spoil((_asked, answer) => end(answer, 200, '<html>welcome</html>'));
    await expect(open().describe()).rejects.toMatchObject({
      code: 'source_schema',
      message: expect.stringContaining('does not answer as an object store'),
    });
    front.spoil((asked, answer) => {
      if (asked.url?.includes('list-type') === true) return 'passed on';
      return end(answer, 200, jsonl(8_000));
    });
    await expect(open().describe()).rejects.toMatchObject({
      code: 'source_schema',
      message: expect.stringContaining('does not serve ranges'),
    });
  });

  it.each([
    ['encoded', '<EncodingType>url</EncodingType>', '', 'M%FCnchen'],
    ['as it is', '', '', 'München'],
    ['below a prefix that encodes longer', '<EncodingType>url</EncodingType>', 'größe/_alt/', 'M%FCnchen'],
  ])('a key that is not UTF-8, of what would be read alone: %s', async (_name, encoding, prefix, odd) => {
    await put(`${prefix}a.jsonl`, jsonl(3));
    const listOddly = (ending: string) =>
      front.spoil((asked, answer) => {
        if (asked.url?.includes('list-type') !== true) return 'passed on';
        const size = jsonl(3).length;
        const etag = createHash('md5').update(jsonl(3)).digest('hex');
        const listed = ['a.jsonl', `_${odd}.jsonl`, `${odd}${ending}`].map(
          (key) =>
            `<Contents><Key>${encodeURI(prefix)}${key}</Key><ETag>"${etag}"</ETag><Size>${size}</Size></Contents>`,
        );
        answer.end(
          Buffer.from(`<ListBucketResult>${encoding}${listed.join('')}</ListBucketResult>`, 'latin1'),
        );
        return 'answered';
      });
    listOddly('.txt');
    expect(await readAll(open({ prefix }))).toHaveLength(3);
    listOddly('.jsonl');
    await expect(open({ prefix }).describe()).rejects.toMatchObject({
      code: 'source_schema',
      message: `the key ${prefix}M\uFFFDnchen.jsonl is not in UTF-8: name a longer prefix, or rename the object`,
    });
  });

  it('nobody at all', async () => {
    await expect(
      open({ endpoint: 'http://127.0.0.1:1' }, { patienceMs: 100 }).describe(),
    ).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
  });
});

test('gzip that ends too early is damaged, not unavailable', async () => {
  await put('whole.jsonl.gz', gzipSync(jsonl(3_000)));
  await put('cut.jsonl.gz', gzipSync(jsonl(3_000)).subarray(0, -20));
  await expect(readAll(open())).rejects.toMatchObject({
    code: 'source_corrupt',
    message: expect.stringMatching(/bucket-\d+\/cut\.jsonl\.gz ends in the middle/),
  });
});

test('objects of one history may differ in what is not asked for, and not in what is', async () => {
  const write = async (key: string, select: string) => {
    const path = join(folder, 'x.parquet');
    await query(
      `COPY (SELECT TIMESTAMP '2001-01-01' AS t, 'a' AS k, ${select}) TO '${path}' (FORMAT parquet)`,
    );
    await put(key, await readFile(path));
  };
  await write('1.parquet', '1::INTEGER AS v');
  await write('2.parquet', "2::DOUBLE AS v, 'more' AS other");
  expect((await readAll(open({ format: 'parquet' }))).map(({ id, value }) => [id, value])).toEqual([
    ['1.parquet#0', 1],
    ['2.parquet#0', 2],
  ]);
  await write('3.parquet', "'three' AS v");
  await expect(readAll(open({ format: 'parquet' }))).rejects.toMatchObject({
    code: 'source_schema',
    message: expect.stringMatching(/bucket-\d+\/3\.parquet: the value column v is .*not an integer/),
  });
});

describe('an object that is replaced while it is read', () => {
  it.each([
    ['by its ETag', false],
    ['by If-Match', true],
  ])('is noticed %s, and read anew', async (_name, heeded) => {
    const old = new Set<unknown>();
    front.spoil(({ headers }) => {
      old.add(headers['if-match']);
      return 'passed on';
    });
    // Longer than one piece.
    await put('a.jsonl', jsonl(20_000));
    const source = open();
    await source.describe();
    const before = await source.version();
    old.delete(undefined);
    const signal = new AbortController().signal;
    const reading = source
      .read({ sourceId: 's', range: everything, after: null, maxEvents: 10, signal })
      [Symbol.asyncIterator]();
    await reading.next();
    await put('a.jsonl', jsonl(20_000, 20_000));
    front.spoil(({ headers }, answer) =>
      heeded && old.has(headers['if-match']) ? refuse(answer, 412, 'PreconditionFailed') : 'passed on',
    );
    await expect(
      (async () => {
        while ((await reading.next()).done !== true);
      })(),
    ).rejects.toMatchObject({
      code: 'source_unavailable',
      message: expect.stringContaining('was changed while it was read'),
    });
    expect(old.size).toBe(1);
    expect((await readAll(source))[0]?.value).toBe(20_000);
    expect(await source.version()).not.toBe(before);
  });
});

describe('partitions', () => {
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const nameOf = (hour: number) => `dt=2001-01-01/hour=${String(hour).padStart(2, '0')}/part.jsonl`;
  const template = 'dt={YYYY}-{MM}-{DD}/hour={HH}';

  it('outside the window are not read at all', async () => {
    await Promise.all(hours.map((hour) => put(nameOf(hour), jsonl(60, hour * 60))));
    const range = { from: begin + 5 * HOUR, to: begin + 7 * HOUR };
    const found = await readAll(open({ partitions: template }), range);
    expect(found.map(({ value }) => value)).toEqual(Array.from({ length: 120 }, (_, row) => 300 + row));
    expect(new Set(reads().map((one) => /hour%3D(\d+)/.exec(one)?.[1]))).toEqual(new Set(['05', '06']));
    const all = open({ partitions: template });
    const { rows, range: covered } = await all.describe();
    expect([rows, covered]).toEqual([1_440, { from: begin, to: begin + 1_439 * 60_000 + 1 }]);
  });

  it.each(['jsonl', 'csv'] as const)(
    'of small objects are asked for once, and metered so: %s',
    async (format) => {
      const rows = (hour: number) => (format === 'jsonl' ? jsonl(60, hour * 60) : csv(60, hour * 60));
      const name = (hour: number) => nameOf(hour).replace('jsonl', format);
      await Promise.all(hours.map((hour) => put(name(hour), rows(hour))));
      const source = open({ partitions: template, format });
      const scans: SourceScan[] = [];
      const found = await readAll(source, everything, (scan) => scans.push(scan));
      expect(found.map(({ value }) => value)).toEqual(Array.from({ length: 1_440 }, (_, row) => row));
      expect(reads().length).toBe(24);
      const sum = (of: keyof SourceScan) => scans.reduce((total, scan) => total + scan[of], 0);
      expect([sum('requests'), sum('bytes')]).toEqual([24, front.ranges.bytes]);
    },
  );

  it('without them small objects are metered all the same', async () => {
    await Promise.all(hours.slice(0, 3).map((hour) => put(nameOf(hour), jsonl(60, hour * 60))));
    const scans: SourceScan[] = [];
    await readAll(open(), everything, (scan) => scans.push(scan));
    const sum = (of: keyof SourceScan) => scans.reduce((total, scan) => total + scan[of], 0);
    expect([sum('requests'), sum('bytes')]).toEqual([reads().length, front.ranges.bytes]);
  });

  it('that have been counted are not scanned again', async () => {
    await Promise.all(hours.map((hour) => put(nameOf(hour), jsonl(60, hour * 60))));
    const source = open({ partitions: template });
    await source.count(HOUR);
    const counted = reads().length;
    // What was read last is held.
    await readAll(source, { from: begin + 22 * HOUR, to: begin + 24 * HOUR });
    expect(reads().length - counted).toBe(0);
    await readAll(source, { from: begin, to: begin + 2 * HOUR });
    expect(reads().length - counted).toBe(2);
  });

  it('must hold what their names say: a row that would never be met is not lost without a word', async () => {
    await put(nameOf(3), jsonl(60, 180) + jsonl(1, 500));
    await expect(
      readAll(open({ partitions: template }), { from: begin, to: begin + 24 * HOUR }),
    ).rejects.toMatchObject({
      code: 'source_schema',
      message: expect.stringContaining(`${nameOf(3)} line 61 is of 2001-01-01T08:20:00.000Z, outside`),
    });
  });
});

test('a worker has no more connections than are set, however many read', async () => {
  // More than were just read for their counts, and are held.
  for (let number = 0; number < 24; number++) await put(`${number}.jsonl`, jsonl(2_000, number * 2_000));
  const source = open({ connectionsMax: 2 });
  await source.describe();
  const windows = Array.from({ length: 24 }, (_, number) => ({
    from: begin + number * 2_000 * 60_000,
    to: begin + (number + 1) * 2_000 * 60_000,
  }));
  const found = await Promise.all(windows.map((range) => readAll(source, range)));
  expect(found.map((events) => events.length)).toEqual(windows.map(() => 2_000));
  expect(front.mostAtOnce).toBe(2);
});
