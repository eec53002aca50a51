import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import type { PipelineEvent } from '../event.ts';
import { type HistorySource, SourceError, type StoreMaintenance } from '../ports.ts';

const SAMPLE_EVENTS = 5_000;
const BATCH_ROWS = 500;
const FOR_MS = 1_500;

/** A short measurement with real events of the pipeline, before its first replay; what runs refines it. Null when no source can be read. */
export async function measureCapacity(
  options: {
    readonly store: Pick<StoreMaintenance, 'calibrate'>;
    readonly historyOf: (source: WorkerPipeline['sources'][number]) => HistorySource;
    readonly signal: AbortSignal;
  },
  pipeline: WorkerPipeline,
): Promise<{ eventsPerSecond: number; commitMsP99: number } | null> {
  const sample: PipelineEvent[] = [];
  const share = Math.ceil(SAMPLE_EVENTS / pipeline.sources.length);
  for (const source of pipeline.sources) sample.push(...(await firstEvents(options, source, share)));
  return sample.length === 0
    ? null
    : options.store.calibrate({ sample, batchSize: BATCH_ROWS, forMs: FOR_MS });
}

async function firstEvents(
  options: Pick<Parameters<typeof measureCapacity>[0], 'historyOf' | 'signal'>,
  source: WorkerPipeline['sources'][number],
  maxEvents: number,
): Promise<readonly PipelineEvent[]> {
  try {
    const history = options.historyOf(source);
    const { range } = await history.describe();
    const { sourceId } = source;
    for await (const batch of history.read({
      sourceId,
      range,
      after: null,
      maxEvents,
      signal: options.signal,
    }))
      return batch.events;
    return [];
  } catch (error) {
    // The others will do; whoever counts this one reports what is wrong with it.
    if (error instanceof SourceError) return [];
    throw error;
  }
}
