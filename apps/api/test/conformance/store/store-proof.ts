import { describe, expect, it } from 'vitest';
import { StoreOracle } from './store-oracle.ts';
import { ALL, HOUR_MS, JANUARY, LIVE, type StoreScene } from './store-scene.ts';

export function proofOf(fresh: () => StoreScene): void {
  describe('proof', () => {
    const tampered = async (statement: string): Promise<{ events: boolean; buckets: boolean }> => {
      const { harness, store, source, events, writer } = fresh();
      const oracle = new StoreOracle();
      const { apply } = await writer();
      oracle.apply(LIVE, events(0, 200));
      await apply(LIVE, events(0, 200));
      await harness.sql(statement.replaceAll('SOURCE', source));
      const proof = await store.proof({ sourceId: source, range: ALL });
      const expected = new Set(
        oracle
          .buckets()
          .map(({ key, start, count, sum, hash }) => JSON.stringify({ key, start, count, sum, hash })),
      );
      const same = (digests: readonly object[]) =>
        digests.length === expected.size && digests.every((digest) => expected.has(JSON.stringify(digest)));
      return { events: same(proof.events), buckets: same(proof.buckets) };
    };

    it.each([
      ['nothing', 'select 1', { events: true, buckets: true }],
      [
        'a value',
        `update spillway.events set value = value + 1 where id = 'flights.parquet#SOURCE-7'`,
        { events: false, buckets: true },
      ],
      [
        'two values whose sum stays',
        `update spillway.events set value = value + case id when 'flights.parquet#SOURCE-7' then 1 else -1 end where id in ('flights.parquet#SOURCE-7', 'flights.parquet#SOURCE-8')`,
        { events: false, buckets: true },
      ],
      [
        'an id',
        `update spillway.events set id = id || 'x' where id = 'flights.parquet#SOURCE-7'`,
        { events: false, buckets: true },
      ],
      [
        'a deleted event',
        `delete from spillway.events where id = 'flights.parquet#SOURCE-7'`,
        { events: false, buckets: true },
      ],
      [
        'an event too many',
        `insert into spillway.events (at, value, id, source_id, key) values (${JANUARY}, 0, 'SOURCE planted', 'SOURCE', 'LAX')`,
        { events: false, buckets: true },
      ],
      [
        'a bucket',
        `update spillway.buckets set count = count + 1 where source_id = 'SOURCE' and start = ${JANUARY}`,
        { events: true, buckets: false },
      ],
      [
        'the hash of a bucket',
        `update spillway.buckets set hash = mod(hash + 1, 18446744073709551616) where source_id = 'SOURCE' and start = ${JANUARY}`,
        { events: true, buckets: false },
      ],
      [
        'a deleted bucket',
        `delete from spillway.buckets where source_id = 'SOURCE' and start = ${JANUARY}`,
        { events: true, buckets: false },
      ],
    ])('sees %s', async (_, statement, expected) => {
      expect(await tampered(statement)).toEqual(expected);
    });

    it('keeps to its source and range', async () => {
      const { store, source, event, events, writer } = fresh();
      const { apply } = await writer();
      await apply(LIVE, [
        ...events(0, 130),
        event(3, { id: `${source} other`, sourceId: `${source}-other` }),
      ]);
      const proof = await store.proof({
        sourceId: source,
        range: { from: JANUARY + HOUR_MS, to: JANUARY + 2 * HOUR_MS },
      });
      expect(proof.events.map(({ start, count }) => ({ start, count }))).toEqual([
        { start: JANUARY + HOUR_MS, count: 60 },
      ]);
      expect(proof.buckets).toEqual(proof.events);
      // The event of the hour's first minute lies before a range that begins a millisecond later.
      const cut = await store.proof({
        sourceId: source,
        range: { from: JANUARY + HOUR_MS + 1, to: JANUARY + 2 * HOUR_MS },
      });
      expect(cut.events.map(({ start, count }) => ({ start, count }))).toEqual([
        { start: JANUARY + HOUR_MS, count: 59 },
      ]);
      expect(cut.buckets).toEqual([]);
    });
  });
}
