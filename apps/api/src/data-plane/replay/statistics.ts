/**
 * What a quote and a progress bar rest on: exact counts per minute, made by one scan when a source is new or its content
 * has changed. The api only keeps them.
 */
import { gzipSync } from 'node:zlib';
import type { ReportStatistics, WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import type { ControlClient } from '../control/control-client.ts';
import type { HistoryCounts, HistoryDescription, HistorySource } from '../ports.ts';
import { SourceError } from '../ports.ts';

const STEP_MS = 60_000;

export async function reportStatistics(
  options: { readonly control: ControlClient; readonly historyOf: (source: WorkerPipeline['sources'][number]) => HistorySource },
  workerId: string,
  pipeline: WorkerPipeline,
): Promise<void> {
  const byHistory = Map.groupBy(pipeline.sources, options.historyOf);
  for (const [history, sources] of byHistory) {
    try {
      const description = await history.describe();
      if (sources.every((source) => source.fingerprint === description.fingerprint)) continue;
      const counts = await history.count(STEP_MS);
      for (const { sourceId } of sources) await options.control.reportStatistics(workerId, statisticsOf(sourceId, description, counts));
    } catch (error) {
      if (!(error instanceof SourceError)) throw error;
      for (const { sourceId } of sources) await options.control.reportStatistics(workerId, failed(sourceId, error));
    }
  }
}

function statisticsOf(sourceId: string, description: HistoryDescription, counts: HistoryCounts): ReportStatistics {
  const own = counts.counts[sourceId] ?? new Uint32Array(0);
  const littleEndian = Buffer.from(own.buffer, own.byteOffset, own.byteLength);
  return {
    sourceId,
    fingerprint: description.fingerprint,
    from: description.range.from,
    to: description.range.to,
    countFrom: counts.from,
    stepMs: counts.stepMs,
    counts: gzipSync(littleEndian).toString('base64'),
    laps: counts.laps === null ? null : { ...counts.laps },
    failure: null,
  };
}

function failed(sourceId: string, error: SourceError): ReportStatistics {
  const { code, message: detail, address } = error;
  return { sourceId, fingerprint: '', from: 0, to: 0, countFrom: 0, stepMs: STEP_MS, counts: '', laps: null, failure: { code, detail, address } };
}
