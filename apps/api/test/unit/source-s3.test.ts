/** How a bucket is addressed, and what a listing says. */
import { describe, expect, it, test } from 'vitest';
import { addressOf } from '../../src/adapters/source-s3/address.ts';
import { pageIn } from '../../src/adapters/source-s3/listing.ts';

test.each<[string, Parameters<typeof addressOf>[0], string, string]>([
  [
    'AWS, by the region',
    { bucket: 'archive', region: 'eu-west-3' },
    'https://archive.s3.eu-west-3.amazonaws.com/a%20b/%C3%BC%2B%25%28.jsonl',
    's3://archive',
  ],
  [
    'another store',
    { bucket: 'archive', endpoint: 'http://127.0.0.1:9000/' },
    'http://127.0.0.1:9000/archive/a%20b/%C3%BC%2B%25%28.jsonl',
    's3://archive at 127.0.0.1:9000',
  ],
  [
    'another store, by host',
    { bucket: 'archive', endpoint: 'https://s3.example', pathStyle: false },
    'https://archive.s3.example/a%20b/%C3%BC%2B%25%28.jsonl',
    's3://archive at s3.example',
  ],
])('%s', (_name, history, url, shown) => {
  const address = addressOf(history);
  expect(address.url('a b/ü+%(.jsonl').href).toBe(url);
  expect(address.shown).toBe(shown);
});

describe('a page of a listing', () => {
  const page = (inside: string) =>
    `<?xml version="1.0"?><ListBucketResult xmlns="x">${inside}</ListBucketResult>`;
  const contents = (key: string) =>
    `<Contents><Key>${key}</Key><LastModified>2001</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>`;

  it('has keys as they are, or encoded', () => {
    expect(pageIn(page(contents('a+b%20&amp;&#xFC;&#252;')))?.objects).toEqual([
      { key: 'a+b%20&üü', isText: true, etag: '"e"', bytes: 7 },
    ]);
    expect(pageIn(page(`<EncodingType>url</EncodingType>${contents('a+b%2B%C3%BC')}`))?.objects[0]?.key).toBe(
      'a b+ü',
    );
  });

  it.each([
    ['encoded', 'url', 'gr%C3%B6%c3%9Fe/M%FC+nchen.jsonl', 'größe/M\uFFFD nchen.jsonl'],
    ['cut', 'url', 'a/%E2%82', 'a/\uFFFD'],
    ['of a store that says it encodes, and does not', 'url', 'ö/100%', 'ö/100%'],
    ['as it is', 'none', 'a/M\uFFFDnchen.jsonl', 'a/M\uFFFDnchen.jsonl'],
  ])('has keys that are no text, and what of them is: %s', (_name, encoding, listed, key) => {
    const inside = `<EncodingType>${encoding}</EncodingType>${contents('b')}${contents(listed)}`;
    expect(pageIn(page(inside))?.objects).toMatchObject([
      { key: 'b', isText: true },
      { key, isText: false },
    ]);
  });

  it('says whether more follow', () => {
    const more = '<IsTruncated>true</IsTruncated>';
    expect(pageIn(page(`${more}<NextContinuationToken>x=&amp;</NextContinuationToken>`))?.next).toBe('x=&');
    expect(pageIn(page('<IsTruncated>false</IsTruncated>'))).toEqual({ objects: [], next: null });
    expect(pageIn(page(more))).toBeNull();
  });

  it.each([
    ['something else', '<html></html>'],
    ['half of one', page(contents('a')).slice(0, -10)],
    ['an object without a size', page('<Contents><Key>a</Key><ETag>e</ETag></Contents>')],
    ['an object without an ETag', page('<Contents><Key>a</Key><Size>1</Size></Contents>')],
  ])('is none: %s', (_name, xml) => {
    expect(pageIn(xml)).toBeNull();
  });
});
