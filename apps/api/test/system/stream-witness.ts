/** An independent look at an embedded stream of a started system: where it ends and how far it is applied, whoever says what about it. */
import { join } from 'node:path';
import { openEmbeddedStream } from '../../src/adapters/stream-embedded/stream.ts';

export interface StreamWitness {
  /** The last entry ever appended; null before the first. */
  end(): Promise<string | null>;
  /** Entries that the applier has not finished with; null when unknown. */
  lagEntries(): Promise<number | null>;
  close(): Promise<void>;
}

export async function witnessStream(
  dataDir: string,
  name: 'flights-live' | 'flights-replay',
): Promise<StreamWitness> {
  const stream = await openEmbeddedStream({ directory: join(dataDir, 'streams'), name });
  return {
    end: async () => (await stream.stats()).lastOffset,
    lagEntries: async () => (await stream.stats()).groups[0]?.lagEntries ?? null,
    close: () => stream.close(),
  };
}
