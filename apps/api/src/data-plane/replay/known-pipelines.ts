import { isDeepStrictEqual } from 'node:util';
import type { ExternalDefinition } from '@spillway/shared/api/external';
import type { WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { DurableStream, ExternalStream, PublishedStream } from '../ports.ts';
import { type GateReport, HighWaterGate } from './high-water-gate.ts';

export interface OpenPipeline {
  readonly bucketMs: number;
  readonly sources: ReadonlyMap<string, WorkerPipeline['sources'][number]>;
  /** The replay's own, or live's when the route is shared, or the user's. */
  readonly stream: PublishedStream;
  readonly gate: HighWaterGate;
  /** Consumers and store are the user's own. */
  readonly external: boolean;
}

export type OpenExternal = (name: string, definition: ExternalDefinition) => ExternalStream;

/** What the api told this worker about the pipelines, and the streams it publishes to, opened on first use. */
export interface KnownPipelines {
  learn(pipeline: WorkerPipeline): void;
  /** Any other has been removed. */
  keepOnly(pipelineIds: readonly string[]): void;
  pipeline(pipelineId: string): WorkerPipeline | null;
  all(): WorkerPipeline[];
  /** Of this configuration, and no other. */
  has(source: WorkerPipeline['sources'][number]): boolean;
  open(pipelineId: string): Promise<OpenPipeline>;
  gates(): GateReport[];
  /** Those of the user's own, opened. Errors: RangeError for a URL that cannot be. */
  external(): { readonly pipelineId: string; readonly stream: ExternalStream }[];
  close(): Promise<void>;
}

export function knownPipelines(
  opens: {
    readonly stream: (name: string) => Promise<DurableStream>;
    readonly external: OpenExternal;
  },
  clock: Pick<Clock, 'now'>,
): KnownPipelines {
  const pipelines = new Map<string, WorkerPipeline>();
  const opening = new Map<string, Promise<{ stream: PublishedStream; gate: HighWaterGate }>>();
  const gates = new Map<string, HighWaterGate>();
  const externals = new Map<string, ExternalStream>();

  function openExternal(name: string, definition: ExternalDefinition): ExternalStream {
    const stream = externals.get(name) ?? opens.external(name, definition);
    externals.set(name, stream);
    return stream;
  }

  /** It lies elsewhere, or lets others in: what is under way fails, and is tried again there. */
  function forgetExternal(name: string): void {
    const stream = externals.get(name);
    externals.delete(name);
    opening.delete(name);
    gates.delete(name);
    void stream?.close();
  }

  async function openGated(name: string, external: ExternalDefinition | undefined) {
    const stream = external === undefined ? await opens.stream(name) : openExternal(name, external);
    const gate = new HighWaterGate(stream, () => limitsOf(name), clock);
    gates.set(name, gate);
    return { stream, gate };
  }

  /** Of a stream that no pipeline uses any more: nothing may pass. */
  function limitsOf(name: string) {
    const pipeline = [...pipelines.values()].find((known) => streamOf(known) === name);
    return {
      highWaterMark: pipeline?.highWaterMark ?? 0,
      // How fresh live is on a stream of the user's is theirs to know.
      sharedFreshnessTargetMs:
        pipeline?.route === 'shared' && pipeline.external === undefined ? pipeline.freshnessTargetMs : null,
    };
  }

  return {
    learn(pipeline) {
      const before = pipelines.get(pipeline.pipelineId);
      pipelines.set(pipeline.pipelineId, pipeline);
      if (before?.external !== undefined && !isDeepStrictEqual(before.external, pipeline.external))
        forgetExternal(streamOf(before));
    },
    keepOnly(pipelineIds) {
      for (const [pipelineId, pipeline] of pipelines) {
        if (pipelineIds.includes(pipelineId)) continue;
        pipelines.delete(pipelineId);
        if (pipeline.external !== undefined) forgetExternal(streamOf(pipeline));
      }
    },
    pipeline: (pipelineId) => pipelines.get(pipelineId) ?? null,
    all: () => [...pipelines.values()],
    has: ({ sourceId, connector, config }) =>
      [...pipelines.values()].some(({ sources }) =>
        sources.some(
          (one) =>
            one.sourceId === sourceId && isDeepStrictEqual([one.connector, one.config], [connector, config]),
        ),
      ),
    async open(pipelineId) {
      const pipeline = pipelines.get(pipelineId);
      if (pipeline === undefined) throw new Error(`pipeline ${pipelineId} is not known to this worker`);
      const name = streamOf(pipeline);
      const opened = opening.get(name) ?? openGated(name, pipeline.external);
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
        external: pipeline.external !== undefined,
      };
    },
    gates: () => [...gates.values()].map((gate) => gate.report()),
    external: () =>
      [...pipelines.values()].flatMap(({ pipelineId, external, ...pipeline }) =>
        external === undefined ? [] : [{ pipelineId, stream: openExternal(streamOf(pipeline), external) }],
      ),
    async close() {
      const opened = await Promise.allSettled(opening.values());
      for (const result of opened) if (result.status === 'fulfilled') await result.value.stream.close();
      for (const stream of externals.values()) await stream.close();
    },
  };
}

/** What is published to. */
function streamOf({
  route,
  liveStream,
  replayStream,
}: Pick<WorkerPipeline, 'route' | 'liveStream' | 'replayStream'>): string {
  return route === 'shared' ? liveStream : replayStream;
}
