/**
 * What a quote and a progress bar rest on: counts per minute, made when a source is new or its content has changed: exact, by one scan, or
 * estimated where that would take too long. The api only keeps them.
 */
import { gzipSync } from 'node:zlib';
import type { ReportStatistics, WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { type ControlClient, ControlError } from '../control/control-client.ts';
import { pause } from '../pause.ts';
import type { HistoryCounts, HistoryDescription, HistorySource } from '../ports.ts';
import { SourceError } from '../ports.ts';

const STEP_MS = 60_000;
const TELL_AGAIN_MS = 1_000;

export interface StatisticsParts {
  readonly control: Pick<ControlClient, 'reportStatistics'>;
  readonly historyOf: (source: WorkerPipeline['sources'][number]) => HistorySource;
  readonly signal: AbortSignal;
  readonly clock: { monotonic(): number };
}

/** Sources that were looked at together: how long that took by itself, ms, and whether it failed. */
export type Looked = (sources: WorkerPipeline['sources'], took: { ms: number; failed: boolean }) => void;

export async function reportStatistics(
  parts: StatisticsParts,
  workerId: string,
  pipeline: WorkerPipeline,
  looked: Looked = () => {},
): Promise<void> {
  const histories = new Map<HistorySource, WorkerPipeline['sources'][number][]>();
  for (const source of pipeline.sources) {
    try {
      const history = parts.historyOf(source);
      histories.set(history, [...(histories.get(history) ?? []), source]);
    } catch (error) {
      await tell(parts, workerId, failed(source.sourceId, error));
    }
  }
  for (const [history, sources] of histories) {
    const fromMs = parts.clock.monotonic();
    const reports = await lookAt(history, sources);
    const failed = reports.some(({ failure }) => failure !== null);
    const ms = parts.clock.monotonic() - fromMs;
    looked(sources, { ms, failed });
    for (const report of reports) await tell(parts, workerId, { ...report, tookMs: Math.round(ms) });
  }
}

/** Nothing when all of it is known already. */
async function lookAt(
  history: HistorySource,
  sources: WorkerPipeline['sources'],
): Promise<ReportStatistics[]> {
  try {
    const description = await history.describe();
    if (description.range.from >= description.range.to)
      throw new SourceError('source_missing', 'there is no row in it yet');
    if (sources.every((source) => source.fingerprint === description.fingerprint)) return [];
    const counts = await history.count(STEP_MS);
    return sources.map(({ sourceId }) => statisticsOf(sourceId, description, counts));
  } catch (error) {
    return sources.map(({ sourceId }) => failed(sourceId, error));
  }
}

/** Nobody asks for it again: told until the api has heard it. */
async function tell(
  { control, signal }: StatisticsParts,
  workerId: string,
  report: ReportStatistics,
): Promise<void> {
  while (!signal.aborted) {
    try {
      return await control.reportStatistics(workerId, report);
    } catch (error) {
      if (!(error instanceof ControlError) || error.kind !== 'unreachable') throw error;
      await pause(TELL_AGAIN_MS, signal);
    }
  }
}

function statisticsOf(
  sourceId: string,
  description: HistoryDescription,
  counts: HistoryCounts,
): ReportStatistics {
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
    ...(counts.estimated ? { estimated: true } : {}),
    failure: null,
  };
}

/** Only what a source says of itself is reported; anything else is a fault of this worker. */
function failed(sourceId: string, error: unknown): ReportStatistics {
  if (!(error instanceof SourceError)) throw error;
  const { code, message: detail, address } = error;
  return {
    sourceId,
    fingerprint: '',
    from: 0,
    to: 0,
    countFrom: 0,
    stepMs: STEP_MS,
    counts: '',
    laps: null,
    failure: { code, detail, address },
  };
}
