/**
 * What every store must do. One database for the whole suite; each test has sources, streams and backfills of its own, so nothing
 * has to be cleaned up and the tests meet a store that is in use.
 */
import { noIdentity } from '@spillway/shared/api/worker-protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '../../../src/data-plane/ports.ts';
import { applyOf } from './store-apply.ts';
import { fenceOf } from './store-fence.ts';
import { maintenanceOf } from './store-maintenance.ts';
import { migrationsOf } from './store-migrations.ts';
import { proofOf } from './store-proof.ts';
import { readingOf } from './store-reading.ts';
import { type StoreHarness, type StoreScene, sceneOf } from './store-scene.ts';

export function storeConformance(name: string, openHarness: () => Promise<StoreHarness>): void {
  describe(`the store on ${name}`, () => {
    let harness: StoreHarness;
    let store: Store;
    let scenes = 0;
    const fresh = (): StoreScene => sceneOf(harness, store, ++scenes);

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

    it('has one identity, whoever asks, and one of an earlier version has none until it is migrated', async () => {
      const { harness, store } = fresh();
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

    migrationsOf(fresh);
    applyOf(fresh);
    fenceOf(fresh);
    proofOf(fresh);
    readingOf(fresh);
    maintenanceOf(fresh);

    it('answers `store_unavailable`, with the cause, while there is no database, and works again afterwards', async () => {
      const { harness, store } = fresh();
      await harness.kill();
      const failure: unknown = await store.counters(['none']).catch((error: unknown) => error);
      expect(failure).toMatchObject({ name: 'StoreError', code: 'store_unavailable' });
      expect((failure as Error).cause).toBeInstanceOf(Error);
      await harness.start();
      expect(await store.counters(['none'])).toEqual([]);
    }, 30_000);
  });
}
