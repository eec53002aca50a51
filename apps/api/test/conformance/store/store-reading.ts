import { describe, expect, it } from 'vitest';
import { StoreOracle } from './store-oracle.ts';
import { ALL, HOUR_MS, JANUARY, LIVE, type StoreScene } from './store-scene.ts';

export function readingOf(fresh: () => StoreScene): void {
  describe('reading', () => {
    it('pages through the buckets in the order of (start, key, source), each once', async () => {
      const { store, source, event, writer } = fresh();
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
      const { store, source, event, events, writer } = fresh();
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
}
