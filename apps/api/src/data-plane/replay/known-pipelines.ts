import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import type { DurableStream } from '../ports.ts';
import { HighWaterGate } from './high-water-gate.ts';

export interface OpenPipeline {
  readonly bucketMs: number;
  readonly sources: ReadonlyMap<string, WorkerPipeline['sources'][number]>;
  readonly replayStream: DurableStream;
  readonly gate: HighWaterGate;
}

/** What the api told this worker about the pipelines, and their replay streams, opened on first use. */
export interface KnownPipelines {
  learn(pipeline: WorkerPipeline): void;
  pipeline(pipelineId: string): WorkerPipeline | null;
  open(pipelineId: string): Promise<OpenPipeline>;
  close(): Promise<void>;
}

export function knownPipelines(openStream: (name: string) => Promise<DurableStream>): KnownPipelines {
  const pipelines = new Map<string, WorkerPipeline>();
  const streams = new Map<string, Promise<{ stream: DurableStream; gate: HighWaterGate }>>();

  async function openReplayStream(pipelineId: string, name: string) {
    const stream = await openStream(name);
    const gate = new HighWaterGate(stream.producer, () => pipelines.get(pipelineId)?.highWaterMark ?? 0);
    return { stream, gate };
  }

  return {
    learn: (pipeline) => void pipelines.set(pipeline.pipelineId, pipeline),
    pipeline: (pipelineId) => pipelines.get(pipelineId) ?? null,
    async open(pipelineId) {
      const pipeline = pipelines.get(pipelineId);
      if (pipeline === undefined) throw new Error(`pipeline ${pipelineId} is not known to this worker`);
      const opened = streams.get(pipelineId) ?? openReplayStream(pipelineId, pipeline.replayStream);
      streams.set(pipelineId, opened);
      const { stream, gate } = await opened.catch((error: unknown) => {
        // Not remembered: the next attempt may find it open.
        if (streams.get(pipelineId) === opened) streams.delete(pipelineId);
        throw error;
      });
      return {
        bucketMs: pipeline.bucketMs,
        sources: new Map(pipeline.sources.map((source) => [source.sourceId, source])),
        replayStream: stream,
        gate,
      };
    },
    async close() {
      const opened = await Promise.allSettled(streams.values());
      for (const result of opened) if (result.status === 'fulfilled') await result.value.stream.close();
    },
  };
}
