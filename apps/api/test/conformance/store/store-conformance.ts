/**
 * What every store must do. One database for the whole suite; each test has sources, streams and backfills of its own, so nothing
 * has to be cleaned up and the tests meet a store that is in use.
 */
import { noIdentity } from '@spillway/shared/api/worker-protocol';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../../../src/data-plane/event.ts';
import type {
  ApplyOutcome,
  Publisher,
  Store,
  StreamOffset,
  TimeRange,
} from '../../../src/data-plane/ports.ts';
import { StoreOracle } from './store-oracle.ts';

export interface StoreHarness {
  /** Another handle on the same database, as another process would have it. */
  open(): Promise<Store>;
  /** Past the store. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
  readonly commitsSideBySide: boolean;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

const HOUR_MS = 3_600_000;
const JANUARY = Date.UTC(2001, 0);
const ALL: TimeRange = { from: JANUARY, to: Date.UTC(2001, 3) };
const LIVE: Publisher = { kind: 'live' };

export function storeConformance(name: string, openHarness: () => Promise<StoreHarness>): void {
  describe(`the store on ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;
    let tests = 0;
    let source = '';
    let stream = '';
    let backfill = '';

    beforeAll(async () => {
      harness = await openHarness();
      store = await harness.open();
      // Twenty starts at once on an empty database; the tests of migrations look at what they did.
      const starters = await Promise.all(Array.from({ length: 20 }, () => harness.open()));
      await Promise.all(starters.map((starter) => starter.migrate()));
      await Promise.all(starters.map((starter) => starter.close()));
    }, 60_000);
    afterAll(async () => {
      await store?.close();
      await harness?.remove();
    });

    const fresh = (): void => {
      tests += 1;
      [source, stream, backfill] = [`source-${tests}`, `stream-${tests}`, `backfill-${tests}`];
    };
    const from = (backfillId: string): Publisher => ({ kind: 'backfill', backfillId });
    const event = (number: number, more: Partial<PipelineEvent> = {}): PipelineEvent => ({
      id: `flights.parquet#${source}-${number}`,
      sourceId: source,
      key: 'LAX',
      at: JANUARY + number * 60_000,
      value: number,
      ...more,
    });
    const events = (first: number, count: number): PipelineEvent[] =>
      Array.from({ length: count }, (_, index) => event(first + index));
    const offset = (number: number): StreamOffset => String(number).padStart(16, '0');
    const writer = async (on: Store = store, onStream = stream) => {
      const { fence, position } = await on.claim(onStream);
      let last = position === null ? 0 : Number(position);
      return {
        fence,
        position,
        apply: (publisher: Publisher, batch: readonly PipelineEvent[]): Promise<ApplyOutcome> =>
          on.apply({
            stream: onStream,
            fence,
            publisher,
            events: batch,
            position: offset((last += Math.max(1, batch.length))),
          }),
      };
    };
    const bucketsOf = (sourceId = source) =>
      store.buckets({ sourceIds: [sourceId], range: ALL, key: null, limit: 10_000, after: null });
    const positionOf = async (onStream = stream) =>
      (await harness.sql(`select position from spillway.stream_positions where stream = '${onStream}'`))[0]?.[
        'position'
      ];
    /** Invariant 1: what the events say, what the buckets say, and what we say. */
    const expectProven = async (oracle: StoreOracle, sourceId = source): Promise<void> => {
      const proof = await store.proof({ sourceId, range: ALL });
      const byPlace = (digests: readonly { key: string; start: number }[]) =>
        [...digests].sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
      const expected = byPlace(
        oracle
          .buckets()
          .filter((bucket) => bucket.sourceId === sourceId)
          .map(({ key, start, count, sum, hash }) => ({ key, start, count, sum, hash })),
      );
      expect(byPlace(proof.events)).toEqual(expected);
      expect(byPlace(proof.buckets)).toEqual(expected);
    };

    it('has one identity, whoever asks, and one of an earlier version has none until it is migrated', async () => {
      const other = await harness.open();
      const identity = await store.identity();
      expect(identity.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(identity.name).toMatch(/^database \w+ at /);
      expect(await other.identity()).toEqual(identity);
      await harness.sql('drop table spillway.identity');
      await harness.sql('delete from spillway.migrations where number = 4');
      expect((await other.identity()).id).toBe(noIdentity);
      await Promise.all([store, other].map((one) => one.migrate()));
      const [first, second] = await Promise.all([store, other].map((one) => one.identity()));
      expect(first?.id).toMatch(/^[0-9a-f-]{36}$/);
      expect(second).toEqual(first);
      await other.close();
    });

    describe('migrations', () => {
      it('run once, however many start at the same time (18)', async () => {
        const applied = await harness.sql(
          'select number, count(*)::int as times from spillway.migrations group by 1',
        );
        expect(applied.length).toBeGreaterThan(0);
        expect(applied.every((row) => row['times'] === 1)).toBe(true);
        await store.migrate();
      }, 60_000);

      it('refuse a schema that is newer than the code (18)', async () => {
        await harness.sql(
          `insert into spillway.migrations (number, name, sha256) values (9999, '9999_later.sql', 'x')`,
        );
        await expect(store.migrate()).rejects.toMatchObject({ name: 'StoreError', code: 'schema_newer' });
        await harness.sql('delete from spillway.migrations where number = 9999');
        await store.migrate();
      });

      it('refuse a file that was changed after it ran', async () => {
        await harness.sql(`update spillway.migrations set sha256 = 'other' || sha256`);
        await expect(store.migrate()).rejects.toMatchObject({ code: 'store_failed' });
        await harness.sql(`update spillway.migrations set sha256 = substr(sha256, 6)`);
        await store.migrate();
      });

      it('make the partitions of a range once, however many ask', async () => {
        const range = { from: Date.UTC(1999, 10, 15), to: Date.UTC(2000, 1, 1) };
        const askers = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
        await Promise.all(
          askers.flatMap((asker) => [asker.ensurePartitions(range), asker.ensurePartitions(range)]),
        );
        await Promise.all(askers.map((asker) => asker.close()));
        const made = await harness.sql(
          `select relname from pg_class where relname ~ '^events_(1999|2000)_..$' and relkind = 'r' order by 1`,
        );
        expect(made.map((row) => row['relname'])).toEqual([
          'events_1999_11',
          'events_1999_12',
          'events_2000_01',
        ]);
      });

      it('make a month anew whose partition somebody has detached, and let its table be', async () => {
        fresh();
        const at = Date.UTC(1998, 4, 7);
        await (await writer()).apply(LIVE, [event(1, { at })]);
        await harness.sql('alter table spillway.events detach partition spillway.events_1998_05');
        const another = await harness.open();
        const { apply } = await writer(another);
        expect(await apply(LIVE, [event(2, { at })])).toMatchObject({ inserted: 1 });
        await another.close();
        const idsIn = async (table: string) =>
          (await harness.sql(`select id from spillway.${table} where source_id = '${source}'`)).map(
            (row) => row['id'],
          );
        expect(await idsIn('events_1998_05')).toEqual([event(1).id]);
        expect(await idsIn('events')).toEqual([event(2).id]);
      });
    });

    it('leave a month to the partitions that somebody has made for it', async () => {
      fresh();
      const [from, middle, to] = [Date.UTC(1997, 4), Date.UTC(1997, 4, 16), Date.UTC(1997, 5)];
      await harness.sql(`create table spillway.first_half partition of spillway.events for values from (${from}) to (${middle});
        create table spillway.second_half partition of spillway.events for values from (${middle}) to (${to})`);
      const batch = [event(1, { at: from }), event(2, { at: to - 1 })];
      expect(await (await writer()).apply(LIVE, batch)).toMatchObject({ inserted: 2 });
      expect(await harness.sql(`select to_regclass('spillway.events_1997_05') as made`)).toEqual([
        { made: null },
      ]);
    });

    describe('apply', () => {
      it('inserts every event once and adds it to its bucket', async () => {
        fresh();
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
        fresh();
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
        fresh();
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
        fresh();
        const { apply } = await writer();
        expect(await apply(LIVE, [event(1), event(1, { at: JANUARY + 5 * HOUR_MS })])).toMatchObject({
          inserted: 2,
          duplicates: 0,
        });
      });

      it('parks what it cannot hold and applies the rest', async () => {
        fresh();
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
        fresh();
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
        fresh();
        const { fence, apply } = await writer();
        expect(await apply(from(backfill), [])).toEqual({ inserted: 0, duplicates: 0, quarantined: [] });
        expect(await positionOf()).toBe(offset(1));
        await expect(
          store.apply({ stream, fence, publisher: LIVE, events: [event(1)], position: offset(0) }),
        ).rejects.toMatchObject({ code: 'store_failed' });
        expect(await bucketsOf()).toEqual([]);
      });

      it('says whether it commits two batches at the same time', async () => {
        expect(await store.commitsSideBySide()).toBe(harness.commitsSideBySide);
      });

      it('makes the partitions that events need', async () => {
        fresh();
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
        fresh();
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
        fresh();
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
            fresh();
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

    describe('the fence', () => {
      it('refuses everything of an applier whose stream was claimed by another (8)', async () => {
        fresh();
        const other = await harness.open();
        const old = await writer();
        await old.apply(LIVE, events(0, 10));
        const young = await writer(other);
        expect(young.position).toBe(offset(10));
        expect(young.fence).toBeGreaterThan(old.fence);
        await expect(old.apply(LIVE, events(10, 10))).rejects.toMatchObject({
          name: 'StoreError',
          code: 'fenced',
        });
        await expect(old.apply(LIVE, events(0, 10))).rejects.toMatchObject({ code: 'fenced' });
        expect(await young.apply(LIVE, events(10, 10))).toMatchObject({ inserted: 10 });
        expect((await bucketsOf()).reduce((sum, bucket) => sum + bucket.count, 0)).toBe(20);
        await other.close();
      });

      it('lets one of two racing appliers win each claim, with nothing lost or twice', async () => {
        fresh();
        const oracle = new StoreOracle();
        const handles = await Promise.all([harness.open(), harness.open()]);
        const total = 60;
        const race = async (handle: Store): Promise<void> => {
          for (;;) {
            const { fence, position } = await handle.claim(stream);
            for (let next = position === null ? 0 : Number(position); ; next++) {
              if (next >= total) return;
              try {
                await handle.apply({
                  stream,
                  fence,
                  publisher: LIVE,
                  events: events(next * 7, 7),
                  position: offset(next + 1),
                });
              } catch (error) {
                expect(error).toMatchObject({ code: 'fenced' });
                break;
              }
              if (next % 5 === 4) break; // claim again, against the other
            }
          }
        };
        await Promise.all(handles.map(race));
        oracle.apply(LIVE, events(0, total * 7));
        expect(await positionOf()).toBe(offset(total));
        await expectProven(oracle);
        await Promise.all(handles.map((handle) => handle.close()));
      }, 30_000);

      it('takes two streams at once, into the same buckets', async () => {
        fresh();
        const oracle = new StoreOracle();
        const other = await harness.open();
        const [one, two] = [await writer(), await writer(other, `${stream}-b`)];
        await Promise.all([
          (async () => {
            for (let next = 0; next < 20; next++) await one.apply(LIVE, events(next * 50, 60));
          })(),
          (async () => {
            for (let next = 19; next >= 0; next--)
              await two.apply(from(backfill), events(next * 50, 60).reverse());
          })(),
        ]);
        oracle.apply(LIVE, events(0, 1010));
        await expectProven(oracle);
        await other.close();
      }, 30_000);
    });

    describe('one transaction (3, 4)', () => {
      it('leaves nothing half done when the database dies at any moment', async () => {
        fresh();
        const victim = await harness.open();
        for (let round = 0; round < 3; round++) {
          const { fence, position } = await victim.claim(stream);
          let next = position === null ? 0 : Number(position);
          let acknowledged = next;
          const killed = new Promise<void>((resolve) =>
            setTimeout(() => resolve(harness.kill()), 60 + round * 45),
          );
          const failure = await (async () => {
            for (;;) {
              await victim.apply({
                stream,
                fence,
                publisher: from(backfill),
                events: events(next * 50, 50),
                position: offset(next + 1),
              });
              acknowledged = next += 1;
            }
          })().catch((error: unknown) => error);
          await killed;
          expect(failure).toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
          expect((failure as Error).cause).toBeDefined();
          await harness.start();
          const committed = Number(await positionOf());
          expect(committed).toBeGreaterThanOrEqual(acknowledged);
          expect(committed).toBeLessThanOrEqual(acknowledged + 1);
          const oracle = new StoreOracle();
          oracle.apply(LIVE, events(0, committed * 50));
          await expectProven(oracle);
          expect(await store.counters([backfill])).toEqual([
            { backfillId: backfill, applied: committed * 50, duplicate: 0, quarantined: 0 },
          ]);
        }
        await victim.close();
      }, 120_000);

      it('undoes everything when a part fails', async () => {
        fresh();
        const { apply } = await writer();
        await apply(from(backfill), events(0, 10));
        await harness.sql(
          `update spillway.fill_counters set applied = 9223372036854775807 where backfill_id = '${backfill}'`,
        );
        await expect(apply(from(backfill), [event(50), event(51, { id: 'nul\0' })])).rejects.toMatchObject({
          code: 'store_failed',
        });
        expect((await bucketsOf()).reduce((sum, bucket) => sum + bucket.count, 0)).toBe(10);
        expect(await positionOf()).toBe(offset(10));
        expect(await store.quarantine(backfill, 10)).toEqual([]);
      });
    });

    describe('proof', () => {
      const tampered = async (statement: string): Promise<{ events: boolean; buckets: boolean }> => {
        fresh();
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
        fresh();
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

    describe('reading', () => {
      it('pages through the buckets in the order of (start, key, source), each once', async () => {
        fresh();
        const oracle = new StoreOracle();
        const { apply } = await writer();
        const sources = [source, `${source}-b`, `${source}-c`];
        const batch = Array.from({ length: 120 }, (_, number) =>
          event(number * 7, {
            id: `${source}/${number}`,
            key: ['AAA', 'BBB', 'CCC', 'DDD'][number % 4] as string,
            sourceId: sources[number % 3] as string,
          }),
        );
        oracle.apply(LIVE, batch);
        await apply(LIVE, batch);
        for (const limit of [1, 7, 1_000]) {
          const pages = [];
          for (let after = null as { start: number; key: string; sourceId: string } | null; ; ) {
            const page = await store.buckets({ sourceIds: sources, range: ALL, key: null, limit, after });
            pages.push(...page);
            const last = page.at(-1);
            if (last === undefined) break;
            after = { start: last.start, key: last.key, sourceId: last.sourceId };
          }
          expect(pages).toEqual(oracle.buckets());
        }
        const range = { from: JANUARY + HOUR_MS, to: JANUARY + 4 * HOUR_MS };
        expect(
          await store.buckets({ sourceIds: [source], range, key: 'AAA', limit: 100, after: null }),
        ).toEqual(
          oracle
            .buckets()
            .filter(
              (bucket) =>
                bucket.sourceId === source &&
                bucket.key === 'AAA' &&
                bucket.start >= range.from &&
                bucket.start < range.to,
            ),
        );
        expect(await store.buckets({ sourceIds: [], range: ALL, key: null, limit: 10, after: null })).toEqual(
          [],
        );
      });

      it('covers a range in steps, the empty ones too', async () => {
        fresh();
        const { apply } = await writer();
        await apply(LIVE, [...events(0, 90), event(100, { at: JANUARY + 50 * 86_400_000 })]);
        const coverage = await store.coverage({
          sourceIds: [source],
          range: { from: JANUARY, to: JANUARY + 60 * 86_400_000 },
          stepMs: HOUR_MS,
        });
        expect(coverage).toHaveLength(60 * 24);
        expect(coverage.filter((step) => step.stored > 0)).toEqual([
          { start: JANUARY, stored: 60 },
          { start: JANUARY + HOUR_MS, stored: 30 },
          { start: JANUARY + 50 * 86_400_000, stored: 1 },
        ]);
        expect(
          await store.coverage({
            sourceIds: [source],
            range: { from: JANUARY, to: JANUARY + 60 * 86_400_000 },
            stepMs: 30 * 86_400_000,
          }),
        ).toEqual([
          { start: JANUARY, stored: 90 },
          { start: JANUARY + 30 * 86_400_000, stored: 1 },
        ]);
      });
    });

    describe('maintenance', () => {
      it('tells its size, and vacuums without disturbing anything', async () => {
        fresh();
        const oracle = new StoreOracle();
        const before = await store.stats();
        const { apply } = await writer();
        for (let next = 0; next < 40; next++) {
          const batch = Array.from({ length: 50 }, (_, index) => event(index * 60 + next));
          oracle.apply(LIVE, batch);
          await apply(LIVE, batch);
        }
        const after = await store.stats();
        expect((after.eventRows ?? 0) - (before.eventRows ?? 0)).toBe(2_000);
        expect(after.sizeBytes).toBeGreaterThan(0);
        expect(after.walBytes).toBeGreaterThan(before.walBytes ?? Number.POSITIVE_INFINITY);
        await store.vacuum();
        await expectProven(oracle);
      });

      it('has a pulse: what was written since the last one, or unknown, never zero for it', async () => {
        fresh();
        const { apply } = await writer();
        const before = await store.pulse();
        await apply(LIVE, events(0, 200));
        const after = await store.pulse();
        expect(after.walBytes).toBeGreaterThan(before.walBytes ?? Number.POSITIVE_INFINITY);
        expect(after.deadRows ?? 0).toBeGreaterThanOrEqual(0);
        expect(after.poolWaitMsP99).toBeGreaterThanOrEqual(0);
        if (after.cacheHitRatio !== null) {
          expect(after.cacheHitRatio).toBeGreaterThan(0);
          expect(after.cacheHitRatio).toBeLessThanOrEqual(1);
        }
      });

      it('calibrates on copies, and leaves nothing behind', async () => {
        fresh();
        const before = await store.stats();
        const measured = await store.calibrate({ sample: events(0, 300), batchSize: 100, forMs: 200 });
        expect(measured.eventsPerSecond).toBeGreaterThan(100);
        expect(measured.commitMsP99).toBeGreaterThan(0);
        // On a machine so slow that the warm-up outlasts the measurement there is a figure too: without one nothing replays.
        const slow = await store.calibrate({ sample: events(0, 300), batchSize: 100, forMs: 0 });
        expect(slow.eventsPerSecond).toBeGreaterThan(0);
        expect(await harness.sql(`select 1 from pg_namespace where nspname like 'spillway_%'`)).toEqual([]);
        expect((await store.stats()).eventRows).toBe(before.eventRows);
      });
    });

    it('answers `store_unavailable`, with the cause, while there is no database, and works again afterwards', async () => {
      await harness.kill();
      const failure: unknown = await store.counters(['none']).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
      expect((failure as Error).cause).toBeInstanceOf(Error);
      await harness.start();
      expect(await store.counters(['none'])).toEqual([]);
    }, 30_000);
  });
}
