/**
 * An independent look at a stream of a started system: where it ends, how long it is and how far it is applied, whoever says
 * what about it. It belongs to no group, so it never holds back trimming.
 */
import { join } from 'node:path';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';
import { openRedisStream } from '../../src/adapters/stream-redis/stream.ts';
import { APPLIER_GROUP } from '../../src/data-plane/apply/lane.ts';
import type { StreamOffset } from '../../src/data-plane/ports.ts';
import { StreamWatch } from './stream-watch.ts';

export interface StreamWitness {
  /** The last entry ever appended; null before the first. */
  end(): Promise<string | null>;
  /** Ever appended. */
  entries(): Promise<number>;
  /** Entries that the applier has not finished with; null when unknown. */
  lagEntries(): Promise<number | null>;
  /** Begins to look, every other millisecond unless told otherwise, and to remember what it saw, until it is stopped or the witness is closed. */
  watch(everyMs?: number): Promise<StreamWatch>;
  close(): Promise<void>;
}

/** In a data directory, or on a Redis server. */
export async function witnessStream(
  where: string | { readonly redisUrl: string },
  name: 'flights-live' | 'flights-replay',
): Promise<StreamWitness> {
  const stream =
    typeof where === 'string'
      ? await openEmbeddedStream({ directory: join(where, 'streams'), name })
      : await openRedisStream({ url: where.redisUrl, accepted: ['persistence'], name });
  const watches: StreamWatch[] = [];
  return {
    end: async () => (await stream.stats(APPLIER_GROUP)).lastOffset,
    entries: async () => entriesUntil((await stream.stats(APPLIER_GROUP)).lastOffset),
    lagEntries: async () => (await stream.stats(APPLIER_GROUP)).group?.lagEntries ?? null,
    async watch(everyMs = 2) {
      const watch = new StreamWatch(async () => {
        const { lastOffset, length, lengthBytes, group } = await stream.stats(APPLIER_GROUP);
        return {
          appended: entriesUntil(lastOffset),
          length,
          lengthBytes,
          acknowledged: entriesUntil(group?.acknowledged ?? null),
        };
      }, everyMs);
      watches.push(watch);
      await watch.begun;
      return watch;
    },
    async close() {
      for (const watch of watches) await watch.stop();
      await stream.close();
    },
  };
}

/** Offsets of both begin with the entry's ordinal. */
function entriesUntil(offset: StreamOffset | null): number {
  return offset === null ? 0 : Number.parseInt(offset, 10);
}
