/** Of two appliers one commits, and a batch is committed whole or not at all. */
import { describe, expect, it } from 'vitest';
import type { Store } from '../../../src/data-plane/ports.ts';
import { StoreOracle } from './store-oracle.ts';
import { from, LIVE, offset, type StoreScene } from './store-scene.ts';

export function fenceOf(fresh: () => StoreScene): void {
  describe('the fence', () => {
    it('refuses everything of an applier whose stream was claimed by another (8)', async () => {
      const { harness, events, writer, bucketsOf } = fresh();
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
      const { harness, stream, events, positionOf, expectProven } = fresh();
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
      const { harness, stream, backfill, events, writer, expectProven } = fresh();
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
      const { harness, store, stream, backfill, events, positionOf, expectProven } = fresh();
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
      const { harness, store, backfill, event, events, writer, bucketsOf, positionOf } = fresh();
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
}
