/** A replay worker counts the sources: what is told, and when it is done again. */
import { describe, expect, test, vi } from 'vitest';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import { lendHistories } from '../../src/data-plane/history/lending.ts';
import { SourceError } from '../../src/data-plane/ports.ts';
import { pass, type ReplayWorld, replayWorlds } from '../fixtures/replay-worker-world.ts';
import { events, pipeline, WorldHistory } from '../fixtures/worker-world.ts';

const start = replayWorlds();

describe('counting the sources', () => {
  test('is told until the api has heard it', async () => {
    const uncounted = {
      ...pipeline,
      sources: pipeline.sources.map((source) => ({ ...source, fingerprint: null })),
    };
    const { api } = start(undefined, (made) => {
      made.pipelines = [uncounted];
      let lost = 0;
      made.beforeAnswer = (call) => {
        if (call === 'statistics' && ++lost <= 2) throw new ControlError('unreachable', 'restarting');
      };
    });
    await pass(5_000);
    expect(api.of('statistics')).toHaveLength(3);
    expect(api.statistics.at(-1)).toMatchObject({ sourceId: 'east', fingerprint: 'same', failure: null });
  });

  test('goes on while a source is removed and made again; the history that no source has any more is closed', async () => {
    const withHistories = (...passwords: string[]) => ({
      ...pipeline,
      sources: passwords.flatMap((password) =>
        pipeline.sources.map((one) => ({ ...one, config: { password }, fingerprint: null })),
      ),
    });
    const counting: PromiseWithResolvers<void>[] = [];
    const closed: unknown[] = [];
    const lent = lendHistories(({ config }) => {
      const counted = Promise.withResolvers<void>();
      counting.push(counted);
      const history = new WorldHistory(events(10));
      const count = history.count.bind(history);
      return Object.assign(history, {
        count: async (stepMs: number) => {
          await counted.promise;
          return count(stepMs);
        },
        close: async () => {
          closed.push(config);
          counted.reject(new SourceError('source_unavailable', 'the source is closed'));
        },
      });
    });
    const { api } = start(undefined, (made) => void (made.pipelines = [withHistories('old')]), lent);
    await pass(1_000);
    for (const known of [withHistories(), withHistories('old')])
      api.push({ type: 'settings', pipeline: known });
    await pass(1_000);
    counting[0]?.resolve();
    await pass(1_000);
    expect(api.statistics).toMatchObject([{ sourceId: 'east', fingerprint: 'same', failure: null }]);
    expect(closed).toEqual([]);
    api.push({ type: 'settings', pipeline: withHistories('new') });
    await pass(1_000);
    expect(closed).toEqual([{ password: 'old' }]);
  });

  test('of a history that the source has no more is not told, however late it ends', async () => {
    const withHistory = (name: string) => ({
      ...pipeline,
      sources: pipeline.sources.map((one) => ({ ...one, config: { name }, fingerprint: null })),
    });
    const counted = Promise.withResolvers<void>();
    const old = Object.assign(new WorldHistory(events(10)), { fingerprint: 'old' });
    const count = old.count.bind(old);
    vi.spyOn(old, 'count').mockImplementation(async (stepMs) => {
      await counted.promise;
      return count(stepMs);
    });
    const fresh = Object.assign(new WorldHistory(events(10)), { fingerprint: 'new' });
    const { api } = start(undefined, (made) => void (made.pipelines = [withHistory('old')]), {
      historyOf: ({ config }) => ((config as { name: string }).name === 'old' ? old : fresh),
    });
    await pass(1_000);
    api.push({ type: 'settings', pipeline: withHistory('new') });
    api.push({ type: 'count', pipelineId: pipeline.pipelineId, sourceId: 'east' });
    await pass(1_000);
    counted.resolve();
    await pass(1_000);
    expect(api.statistics.map(({ fingerprint }) => fingerprint)).toEqual(['new']);
  });

  test('is of the one that was added or changed, and no other', async () => {
    const [east] = pipeline.sources;
    const sources = ['east', 'added'].map((sourceId) => ({ ...east, sourceId, config: { sourceId } }));
    const looked: string[] = [];
    const { api } = start(undefined, () => undefined, {
      historyOf: ({ sourceId }) => {
        const history = new WorldHistory(events(10));
        const describe = history.describe.bind(history);
        return Object.assign(history, {
          describe: () => {
            looked.push(sourceId);
            return describe();
          },
        });
      },
    });
    await pass(1_000);
    looked.length = 0;
    api.push({ type: 'settings', pipeline: { ...pipeline, sources } as typeof pipeline });
    api.push({ type: 'count', pipelineId: pipeline.pipelineId, sourceId: 'added' });
    await pass(1_000);
    expect(looked).toEqual(['added']);
    expect(api.statistics.map(({ sourceId }) => sourceId)).toEqual(['added']);
  });

  describe('of which one is replaced while the worker is joined', () => {
    const versioned = (version: WorldHistory['version']) =>
      Object.assign(new WorldHistory(events(10)), { version });
    const told = ({ api }: ReplayWorld) => api.statistics.map(({ fingerprint }) => fingerprint);

    test('is done once more for each change, also for one back to what was there', async () => {
      let content = 'same';
      const history = versioned(async () => content);
      const begun = start(history);
      await pass(60_000);
      expect(told(begun)).toEqual([]);
      for (content of ['other', 'same']) {
        history.fingerprint = content;
        await pass(60_000);
      }
      expect(told(begun)).toEqual(['other', 'same']);
    });

    test('is done within eleven seconds, without another claim to membership', async () => {
      let version = 1;
      const begun = start(versioned(async () => String(version)));
      await pass(5_000);
      version = 2;
      await pass(11_000);
      expect(told(begun)).toHaveLength(1);
      expect(begun.api.of('join')).toHaveLength(1);
    });

    test('is never done while nothing changes, or of a history without a version', async () => {
      const unversioned = new WorldHistory(events(10));
      const begun = start(unversioned);
      await pass(1_000);
      unversioned.fingerprint = 'other';
      await pass(120_000);
      expect(told(begun)).toEqual([]);
    });

    test('waits for a version that cannot be read, and asks again', async () => {
      let asked = 0;
      let gone = true;
      const history = versioned(async () => {
        asked += 1;
        if (gone) throw new SourceError('source_missing', 'it is being replaced');
        return 'there';
      });
      const begun = start(history);
      await pass(60_000);
      expect(asked).toBeGreaterThan(4);
      expect(told(begun)).toEqual([]);
      gone = false;
      await pass(60_000);
      expect(told(begun)).toEqual(['same']);
    });

    /** A worker of a table whose counting takes eight seconds, and then comes to `outcome`. */
    function countsOfTable(version: () => string, outcome: WorldHistory['count']) {
      const history = versioned(async () => version());
      const counts = vi.spyOn(history, 'count').mockImplementation(async (stepMs) => {
        await new Promise((resolve) => setTimeout(resolve, 8_000));
        return outcome.call(history, stepMs);
      });
      const sources = pipeline.sources.map((one) => ({ ...one, connector: 'postgres' }));
      start(history, (made) => {
        made.pipelines = [{ ...pipeline, sources }];
      });
      return counts;
    }

    test('takes a fiftieth of the time at most where it is written to all the time, and is done again after that', async () => {
      let looks = 0;
      const counts = countsOfTable(() => String(++looks), WorldHistory.prototype.count);
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(1);
      // Eight seconds are a fiftieth of 400.
      await pass(350_000);
      expect(counts).toHaveBeenCalledTimes(1);
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(2);
    });

    test('that failed is tried again after a minute, however long it took', async () => {
      let looks = 0;
      const counts = countsOfTable(
        () => (looks++ === 0 ? 'as it was' : 'as it is'),
        async () => {
          throw new SourceError('source_unavailable', 'it does not answer');
        },
      );
      await pass(60_000);
      expect(counts).toHaveBeenCalledTimes(1);
      await pass(30_000);
      expect(counts).toHaveBeenCalledTimes(2);
    });

    test('is not begun a second time while it is under way, but again after it', async () => {
      let version = 1;
      const history = versioned(async () => String(version));
      const begun = start(history);
      await pass(1_000);
      const counted = Promise.withResolvers<void>();
      const count = history.count.bind(history);
      const counting = vi.spyOn(history, 'count').mockImplementation(async (stepMs) => {
        await counted.promise;
        return count(stepMs);
      });
      version = 2;
      await pass(11_000);
      version = 3;
      await pass(60_000);
      expect(counting).toHaveBeenCalledTimes(1);
      counted.resolve();
      await pass(60_000);
      expect(told(begun)).toHaveLength(2);
    });
  });
});
