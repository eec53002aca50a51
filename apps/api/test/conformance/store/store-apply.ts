import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreOracle } from './store-oracle.ts';
import { from, HOUR_MS, JANUARY, LIVE, offset, type StoreScene } from './store-scene.ts';

export function applyOf(fresh: () => StoreScene): void {
  describe('apply', () => {
    it('inserts every event once and adds it to its bucket', async () => {
      const { events, writer, bucketsOf, positionOf, expectProven } = fresh();
      const oracle = new StoreOracle();
      const { apply, position } = await writer();
      expect(position).toBeNull();
      const batch = events(0, 500);
      expect(await apply(LIVE, batch)).toEqual({ ...oracle.apply(LIVE, batch), quarantined: [] });
      expect(await bucketsOf()).toEqual(oracle.buckets());
      expect(await positionOf()).toBe(offset(500));
      await expectProven(oracle);
    });

    it('counts what is there already as duplicates, within a batch and across batches (2)', async () => {
      const { store, backfill, events, writer, expectProven } = fresh();
      const oracle = new StoreOracle();
      const { apply } = await writer();
      for (const batch of [
        events(0, 100),
        events(0, 100),
        events(50, 100),
        [...events(200, 3), ...events(200, 3)],
        events(300, 10),
      ]) {
        expect(await apply(from(backfill), batch)).toEqual({
          ...oracle.apply(from(backfill), batch),
          quarantined: [],
        });
      }
      expect(await store.counters([backfill])).toEqual([
        { backfillId: backfill, applied: 163, duplicate: 153, quarantined: 0 },
      ]);
      await expectProven(oracle);
    });

    it.each([
      ['value', { value: 77_777 }],
      ['key', { key: 'SFO' }],
      ['source', { sourceId: 'another source' }],
    ])('quarantines an id that comes again with another %s (2)', async (_, change) => {
      const { store, backfill, event, events, writer, expectProven } = fresh();
      const oracle = new StoreOracle();
      const { apply } = await writer();
      oracle.apply(LIVE, events(0, 10));
      await apply(LIVE, events(0, 10));
      const batch = [event(3, change), event(4), event(20)];
      const outcome = await apply(from(backfill), batch);
      expect(outcome).toMatchObject({ inserted: 1, duplicates: 1 });
      expect(outcome.quarantined).toMatchObject([{ address: event(3).id, code: 'payload_mismatch' }]);
      expect(outcome.quarantined[0]?.detail).toContain(String(Object.values(change)[0]));
      expect(await store.quarantine(backfill, 10)).toEqual(outcome.quarantined);
      // Delivered again, it is known: nothing is parked twice.
      expect(await apply(from(backfill), batch)).toEqual({ inserted: 0, duplicates: 3, quarantined: [] });
      expect(await store.quarantine(backfill, 10)).toHaveLength(1);
      expect(await store.counters([backfill])).toEqual([
        { backfillId: backfill, applied: 1, duplicate: 4, quarantined: 1 },
      ]);
      oracle.apply(from(backfill), [event(20)]);
      await expectProven(oracle);
    });

    it('takes one id at two event times for two events', async () => {
      const { event, writer } = fresh();
      const { apply } = await writer();
      expect(await apply(LIVE, [event(1), event(1, { at: JANUARY + 5 * HOUR_MS })])).toMatchObject({
        inserted: 2,
        duplicates: 0,
      });
    });

    it('parks what it cannot hold and applies the rest', async () => {
      const { store, backfill, event, writer } = fresh();
      const { apply } = await writer();
      const outcome = await apply(from(backfill), [
        event(1),
        event(2, { id: 'nul\0' }),
        event(3, { key: 'half \ud800' }),
        event(4, { id: 'x'.repeat(3_000) }),
        event(5, { at: 9e15 }),
        event(6, { at: -1 }),
        event(7, { value: 0.5 }),
        event(8, { id: '' }),
        event(9),
        event(10, { id: 'row 10', value: 0.5 }),
        event(11, { id: 'row 9', value: 0.5 }),
      ]);
      expect(outcome).toMatchObject({ inserted: 2, duplicates: 0 });
      expect(outcome.quarantined.map((parked) => parked.code).sort()).toEqual([
        'missing_field',
        'unparsable',
        'unparsable',
        'unparsable',
        'value_out_of_range',
        'value_out_of_range',
        'value_out_of_range',
        'value_out_of_range',
        'value_out_of_range',
      ]);
      const listed = (await store.quarantine(backfill, 100)).map(({ address }) => address);
      expect(listed).toHaveLength(9);
      expect(
        listed.filter((address) => address.startsWith('row ')),
        'as people count',
      ).toEqual(['row 9', 'row 10']);
      expect(await store.quarantine(backfill, 3)).toHaveLength(3);
    });

    it('holds names of any text and values to the limits of exactness', async () => {
      const { source, event, writer, bucketsOf, expectProven } = fresh();
      const oracle = new StoreOracle();
      const { apply } = await writer();
      const names = [
        `it's`,
        'a "quoted" \\ name',
        '{braces},',
        'null',
        'NULL',
        'zwölf 🛫',
        ' ',
        'line\nbreak',
        '',
        '$$; drop table spillway.events; --',
        '\x1f',
      ];
      const batch = names.map((key, index) =>
        event(index, {
          key,
          id: `${source} ${key}`,
          value: index % 2 ? Number.MAX_SAFE_INTEGER : Number.MIN_SAFE_INTEGER,
        }),
      );
      const biggest = Array.from({ length: 3_000 }, (_, index) =>
        event(index, {
          id: `${source} big ${index}`,
          at: JANUARY,
          key: 'big',
          value: Number.MAX_SAFE_INTEGER,
        }),
      );
      for (const part of [batch, biggest, batch])
        expect(await apply(LIVE, part)).toEqual({ ...oracle.apply(LIVE, part), quarantined: [] });
      await expectProven(oracle);
      expect((await bucketsOf()).map((bucket) => bucket.key).sort()).toEqual([...names, 'big'].sort());
    });

    it('moves the position for a batch without events, and never backwards', async () => {
      const { store, stream, backfill, event, writer, bucketsOf, positionOf } = fresh();
      const { fence, apply } = await writer();
      expect(await apply(from(backfill), [])).toEqual({ inserted: 0, duplicates: 0, quarantined: [] });
      expect(await positionOf()).toBe(offset(1));
      await expect(
        store.apply({ stream, fence, publisher: LIVE, events: [event(1)], position: offset(0) }),
      ).rejects.toMatchObject({ code: 'store_failed' });
      expect(await bucketsOf()).toEqual([]);
    });

    it('says whether it commits two batches at the same time', async () => {
      const { harness, store } = fresh();
      expect(await store.commitsSideBySide()).toBe(harness.commitsSideBySide);
    });

    it('makes the partitions that events need', async () => {
      const { event, writer } = fresh();
      const { apply } = await writer();
      expect(
        await apply(LIVE, [
          event(1, { at: Date.UTC(2042, 5, 7) }),
          event(2, { at: Date.UTC(2044, 1, 29) }),
          event(3, { at: 0 }),
        ]),
      ).toMatchObject({ inserted: 3 });
    });

    it('raises the version when the publisher changes', async () => {
      const { backfill, event, writer, bucketsOf } = fresh();
      const { apply } = await writer();
      const versions: (number | undefined)[] = [];
      for (const [number, publisher] of [
        LIVE,
        LIVE,
        from(backfill),
        from(backfill),
        from('another'),
        LIVE,
      ].entries()) {
        await apply(publisher, [event(number)]);
        versions.push((await bucketsOf())[0]?.version);
      }
      await apply(from(backfill), [event(0)]); // a duplicate changes nothing
      versions.push((await bucketsOf())[0]?.version);
      expect(versions).toEqual([1, 1, 2, 2, 3, 4, 4]);
    });

    it('moves the event-time watermark by live only, and never back', async () => {
      const { store, source, backfill, event, events, writer } = fresh();
      const { apply } = await writer();
      const watermark = async () => (await store.watermarks())[source];
      await apply(from(backfill), events(500, 10));
      expect(await watermark()).toBeUndefined();
      await apply(LIVE, [event(30), event(10)]);
      expect(await watermark()).toBe(event(30).at);
      await apply(LIVE, [event(20)]);
      expect(await watermark()).toBe(event(30).at);
      await apply(LIVE, [event(30), event(31)]); // with a duplicate
      expect(await watermark()).toBe(event(31).at);
    });

    it('equals a slow oracle for any batches: duplicates, late, shuffled, mismatched (1)', async () => {
      let run = 0;
      const some = fc.record({
        number: fc.integer({ min: 0, max: 40 }),
        value: fc.integer({ min: -5, max: 5 }),
        key: fc.constantFrom('LAX', 'ORD', 'a,b"'),
        minute: fc.integer({ min: 0, max: 200 }),
        steady: fc.boolean(),
      });
      const batches = fc.array(
        fc.record({ by: fc.constantFrom('', 'one', 'two'), batch: fc.array(some, { maxLength: 30 }) }),
        { minLength: 1, maxLength: 8 },
      );
      await fc.assert(
        fc.asyncProperty(batches, async (list) => {
          const { store, source, event, writer, bucketsOf, expectProven } = fresh();
          run += 1;
          const oracle = new StoreOracle();
          const { apply } = await writer();
          let outcomes = { applied: 0, duplicate: 0, quarantined: 0 };
          for (const { by, batch } of list) {
            // Most events of a number are the same one; a few differ, which are mismatches when the time is the same.
            const made = batch.map(({ number, value, key, minute, steady }) =>
              steady
                ? event(number)
                : event(number, {
                    id: `${source}#${number}`,
                    at: JANUARY + Math.trunc(minute / 50) * HOUR_MS,
                    value: Math.abs(value) % 2,
                    key,
                  }),
            );
            const publisher = by === '' ? LIVE : from(`${by}-${run}`);
            const expected = oracle.apply(publisher, made);
            const outcome = await apply(publisher, made);
            expect({ ...outcome, quarantined: outcome.quarantined.length }).toEqual(expected);
            if (by === 'one')
              outcomes = {
                applied: outcomes.applied + expected.inserted,
                duplicate: outcomes.duplicate + expected.duplicates,
                quarantined: outcomes.quarantined + expected.quarantined,
              };
          }
          expect(await bucketsOf()).toEqual(oracle.buckets());
          await expectProven(oracle);
          const [counted] = await store.counters([`one-${run}`]);
          expect(counted ?? { applied: 0, duplicate: 0, quarantined: 0 }).toMatchObject(outcomes);
        }),
        { numRuns: 40 },
      );
    }, 60_000);
  });
}
