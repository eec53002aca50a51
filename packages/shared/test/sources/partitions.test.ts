import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePartitions } from '../../src/sources/partitions.ts';

const rangeOf = (template: string, name: string) => {
  const partitions = parsePartitions(template);
  if (typeof partitions === 'string') throw new Error(partitions);
  const range = partitions.rangeOf(name);
  return range && [new Date(range.from).toISOString(), new Date(range.to).toISOString()];
};

test.each([
  ['year={YYYY}', 'year=2001/part.parquet', '2001-01-01T00', '2002-01-01T00'],
  ['year={YYYY}/month={MM}', 'year=2001/month=12/part.parquet', '2001-12-01T00', '2002-01-01T00'],
  ['year={YYYY}/month={MM}', 'year=2001/month=1/a/b.parquet', '2001-01-01T00', '2001-02-01T00'],
  ['{YYYY}/{MM}/{DD}/{HH}', '2004/02/29/23/x.jsonl.gz', '2004-02-29T23', '2004-03-01T00'],
  ['region=*/dt={YYYY}-{MM}-{DD}', 'region=eu-1/dt=2001-02-28/x', '2001-02-28T00', '2001-03-01T00'],
  ['events-{YYYY}{MM}{DD}', 'events-20010131.csv.zst', '2001-01-31T00', '2001-02-01T00'],
  ['{DD}.{MM}.{YYYY}', '31.01.2001.csv', '2001-01-31T00', '2001-02-01T00'],
  ['y{YYYY}*', 'y0099-whatever', '0099-01-01T00', '0100-01-01T00'],
])('%s says of %s: %s to %s', (template, name, from, to) => {
  expect(rangeOf(template, name)).toEqual([`${from}:00:00.000Z`, `${to}:00:00.000Z`]);
});

test.each([
  ['year={YYYY}/month={MM}', 'year=2001/part.parquet'],
  ['year={YYYY}/month={MM}', 'year=2001/month=13/part.parquet'],
  ['{YYYY}-{MM}-{DD}', '2001-02-29/x'],
  ['{YYYY}/{MM}/{DD}/{HH}', '2001/01/01/24/x'],
  ['dt={YYYY}-{MM}', 'dt=2001-01-05/x'],
  ['year={YYYY}', 'old/year=2001/x'],
  ['a.b={YYYY}', 'axb=2001/x'],
  ['region=*/{YYYY}', 'region=eu/west/2001/x'],
])('%s says nothing of %s', (template, name) => {
  expect(rangeOf(template, name)).toBeNull();
});

test.each([
  ['year=2001', /must have \{YYYY\}/],
  ['{YYYY}/{DD}', /must have/],
  ['{MM}', /must have/],
  ['{YYYY}/{YYYY}', /twice/],
  ['{YYYY}/{month}', /knows/],
  ['{YYYY}/{mm}', /knows/],
])('%s is no template', (template, why) => {
  expect(parsePartitions(template)).toMatch(why);
});

test('a moment lies in the partition that is named after it, and in no other', () => {
  const templates = ['{YYYY}', '{YYYY}/{MM}', '{YYYY}/{MM}/{DD}', '{YYYY}/{MM}/{DD}/{HH}'];
  const moment = fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2300, 0) });
  fc.assert(
    fc.property(moment, fc.nat({ max: 3 }), (at, finest) => {
      const name = new Date(at)
        .toISOString()
        .replace('T', '-')
        .split(/[-:]/)
        .slice(0, finest + 1)
        .join('/');
      const partitions = parsePartitions(templates[finest] as string);
      if (typeof partitions === 'string') throw new Error(partitions);
      const range = partitions.rangeOf(`${name}/x`);
      expect(range !== null && range.from <= at && at < range.to).toBe(true);
      expect(partitions.rangeOf(`${name}/x`)?.to).toBe(range?.to);
      if (range !== null) expect(range.to - range.from).toBeGreaterThanOrEqual(3_600_000);
    }),
  );
});
