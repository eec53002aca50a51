import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { DurableStream } from '../ports.ts';
import { type GateReport, HighWaterGate } from './high-water-gate.ts';

export interface OpenPipeline {
  readonly bucketMs: number;
  readonly sources: ReadonlyMap<string, WorkerPipeline['sources'][number]>;
  /** The replay's own, or live's when the route is shared. */
  readonly stream: DurableStream;
  readonly gate: HighWaterGate;
}

/** What the api told this worker about the pipelines, and the streams it publishes to, opened on first use. */
export interface KnownPipelines {
  learn(pipeline: WorkerPipeline): void;
  pipeline(pipelineId: string): WorkerPipeline | null;
  all(): WorkerPipeline[];
  open(pipelineId: string): Promise<OpenPipeline>;
  gates(): GateReport[];
  close(): Promise<void>;
}

export function knownPipelines(
  openStream: (name: string) => Promise<DurableStream>,
  clock: Pick<Clock, 'now'>,
): KnownPipelines {
  const pipelines = new Map<string, WorkerPipeline>();
  const opening = new Map<string, Promise<{ stream: DurableStream; gate: HighWaterGate }>>();
  const gates = new Map<string, HighWaterGate>();

  async function openGated(name: string) {
    const stream = await openStream(name);
    const gate = new HighWaterGate(stream, () => limitsOf(name), clock);
    gates.set(name, gate);
    return { stream, gate };
  }

  /** Of a stream that no pipeline uses any more: nothing may pass. */
  function limitsOf(name: string) {
    const pipeline = [...pipelines.values()].find((known) => streamOf(known) === name);
    return {
      highWaterMark: pipeline?.highWaterMark ?? 0,
      sharedFreshnessTargetMs: pipeline?.route === 'shared' ? pipeline.freshnessTargetMs : null,
    };
  }

  return {
    learn: (pipeline) => void pipelines.set(pipeline.pipelineId, pipeline),
    pipeline: (pipelineId) => pipelines.get(pipelineId) ?? null,
    all: () => [...pipelines.values()],
    async open(pipelineId) {
      const pipeline = pipelines.get(pipelineId);
      if (pipeline === undefined) throw new Error(`pipeline ${pipelineId} is not known to this worker`);
      const name = streamOf(pipeline);
      const opened = opening.get(name) ?? openGated(name);
      opening.set(name, opened);
      const { stream, gate } = await opened.catch((error: unknown) => {
        // Not remembered: the next attempt may find it open.
        if (opening.get(name) === opened) opening.delete(name);
        throw error;
      });
      return {
        bucketMs: pipeline.bucketMs,
        sources: new Map(pipeline.sources.map((source) => [source.sourceId, source])),
        stream,
        gate,
      };
    },
    gates: () => [...gates.values()].map((gate) => gate.report()),
    async close() {
      const opened = await Promise.allSettled(opening.values());
      for (const result of opened) if (result.status === 'fulfilled') await result.value.stream.close();
    },
  };
}

function streamOf({ route, liveStream, replayStream }: WorkerPipeline): string {
  return route === 'shared' ? liveStream : replayStream;
}
