import { describe, expect, it } from 'vitest';
import { StoreOracle } from './store-oracle.ts';
import { LIVE, type StoreScene } from './store-scene.ts';

export function maintenanceOf(fresh: () => StoreScene): void {
  describe('maintenance', () => {
    it('tells its size, and vacuums without disturbing anything', async () => {
      const { store, event, writer, expectProven } = fresh();
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
      const { store, events, writer } = fresh();
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
      const { harness, store, events } = fresh();
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
}
