/**
 * What a quote and a progress bar rest on: counts per minute, made when a source is new or its content has changed: exact, by one scan, or
 * estimated where that would take too long. The api only keeps them.
 */
import { gzipSync } from 'node:zlib';
import type { ReportStatistics, WorkerPipeline } from '@spillway/shared/api/worker-protocol';
import { type ControlClient, ControlError } from '../control/control-client.ts';
import type { QuarantinedEvent } from '../event.ts';
import { pause } from '../pause.ts';
import type { HistoryCounts, HistoryDescription, HistorySource } from '../ports.ts';
import { SourceError } from '../ports.ts';

const STEP_MS = 60_000;
const TELL_AGAIN_MS = 1_000;
/** Of one pipeline at once: a server that does not answer is waited for, and the sources beside it need not wait for it too. */
const AT_ONCE = 4;
const BATCH = 1_000;

type Source = WorkerPipeline['sources'][number];

export interface StatisticsParts {
  readonly control: Pick<ControlClient, 'reportStatistics'>;
  readonly historyOf: (source: WorkerPipeline['sources'][number]) => HistorySource;
  /** It has not been removed, nor been given another history: what was found in this one is still of it. */
  readonly isCurrent: (source: WorkerPipeline['sources'][number]) => boolean;
  readonly signal: AbortSignal;
  readonly clock: { monotonic(): number };
}

/** Told of sources that are looked at together. */
export interface Looking {
  /** Nothing of them is read before it resolves. */
  before(sources: WorkerPipeline['sources']): Promise<unknown>;
  /** How long it took, ms, whether it failed, and of which sources that still says something. */
  after(
    sources: WorkerPipeline['sources'],
    took: { ms: number; failed: boolean; current: WorkerPipeline['sources'] },
  ): void;
}

const UNTOLD: Looking = { before: async () => undefined, after: () => undefined };

export async function reportStatistics(
  parts: StatisticsParts,
  workerId: string,
  pipeline: WorkerPipeline,
  looking: Looking = UNTOLD,
): Promise<void> {
  const histories = new Map<HistorySource, WorkerPipeline['sources'][number][]>();
  for (const source of pipeline.sources) {
    try {
      const history = parts.historyOf(source);
      histories.set(history, [...(histories.get(history) ?? []), source]);
    } catch (error) {
      await tell(parts, workerId, source, failed(source.sourceId, error));
    }
  }
  const left = [...histories];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await countOne(...next);
    }),
  );

  async function countOne(history: HistorySource, sources: WorkerPipeline['sources']): Promise<void> {
    await looking.before(sources);
    const fromMs = parts.clock.monotonic();
    const { reports, failed } = await lookAt(history, sources, parts);
    const ms = parts.clock.monotonic() - fromMs;
    looking.after(sources, { ms, failed, current: sources.filter(parts.isCurrent) });
    for (const report of reports) {
      const source = sources.find(({ sourceId }) => sourceId === report.sourceId);
      if (source !== undefined) await tell(parts, workerId, source, { ...report, tookMs: Math.round(ms) });
    }
  }
}

interface Look {
  /** None when all of it is known already. */
  readonly reports: readonly ReportStatistics[];
  /** It could not be counted. */
  readonly failed: boolean;
}

const NOTHING: Look = { reports: [], failed: false };

/** Of a history that is no source's any more nothing is read on. */
async function lookAt(
  history: HistorySource,
  sources: WorkerPipeline['sources'],
  { signal, isCurrent }: Pick<StatisticsParts, 'signal' | 'isCurrent'>,
): Promise<Look> {
  try {
    if (!sources.some(isCurrent)) return NOTHING;
    const description = await history.describe();
    if (description.range.from >= description.range.to)
      throw new SourceError('source_missing', 'there is no row in it yet');
    const known = sources.every((source) => source.fingerprint === description.fingerprint);
    if (known || !sources.some(isCurrent)) return NOTHING;
    const counts = await history.count(STEP_MS);
    const useless = await uselessness(history, sources, { description, counts, signal });
    const reports = sources.map(({ sourceId }) =>
      useless === null ? statisticsOf(sourceId, description, counts) : failed(sourceId, useless),
    );
    return { reports, failed: false };
  } catch (error) {
    return { reports: sources.map(({ sourceId }) => failed(sourceId, error)), failed: true };
  }
}

/**
 * Rows, and every single one quarantined: a column that lines or records do not have, or another format altogether, which no catalogue or header
 * could tell. Replaying that would complete, and prove that nothing equals nothing. Null: there is an event, or rows are of other keys.
 */
async function uselessness(
  history: HistorySource,
  sources: WorkerPipeline['sources'],
  {
    description,
    counts,
    signal,
  }: { description: HistoryDescription; counts: HistoryCounts; signal: AbortSignal },
): Promise<SourceError | null> {
  const counted = Object.values(counts.counts).some((events) => events.some((count) => count > 0));
  if (counts.estimated || counted) return null;
  let first: QuarantinedEvent | undefined;
  let quarantined = 0;
  for (const { sourceId } of sources) {
    const asked = { sourceId, range: description.range, after: null, maxEvents: BATCH, signal };
    for await (const batch of history.read(asked)) {
      if (batch.events.length > 0) return null;
      first ??= batch.quarantined[0];
      quarantined += batch.quarantined.length;
    }
  }
  if (first === undefined || quarantined < description.rows) return null;
  const { address, detail } = first;
  const rows =
    description.rows === 1 ? 'its only row is no event' : `none of its ${description.rows} rows is an event`;
  return new SourceError('source_schema', `${rows}: ${address}: ${detail}`, address);
}

/** Nobody asks for it again: told until the api has heard it. Counts that it does not take are told as a failure of the source, which is seen. */
async function tell(
  parts: StatisticsParts,
  workerId: string,
  source: Source,
  report: ReportStatistics,
): Promise<void> {
  try {
    await tellOnce(parts, workerId, source, report);
  } catch (error) {
    if (!(error instanceof ControlError) || error.kind !== 'refused' || report.failure !== null) throw error;
    const detail = `its counts were not taken: ${error.message}`;
    await tellOnce(
      parts,
      workerId,
      source,
      failure(report.sourceId, { code: 'attempt_failed', detail, address: null }),
    );
  }
}

/** What has another history by now is told nothing of this one, however long the api was not reached. */
async function tellOnce(
  { control, signal, isCurrent }: StatisticsParts,
  workerId: string,
  source: Source,
  report: ReportStatistics,
): Promise<void> {
  while (!signal.aborted && isCurrent(source)) {
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
    ...(description.wholeFrom === undefined ? {} : { wholeFrom: description.wholeFrom }),
    ...(counts.estimated ? { estimated: true } : {}),
    ...(counts.quarantined === null ? {} : { rowsQuarantined: counts.quarantined[sourceId] ?? 0 }),
    failure: null,
  };
}

/** Only what a source says of itself is reported; anything else is a fault of this worker. */
function failed(sourceId: string, error: unknown): ReportStatistics {
  if (!(error instanceof SourceError)) throw error;
  const { code, message: detail, address } = error;
  return failure(sourceId, { code, detail, address });
}

function failure(sourceId: string, said: NonNullable<ReportStatistics['failure']>): ReportStatistics {
  return {
    sourceId,
    fingerprint: '',
    from: 0,
    to: 0,
    countFrom: 0,
    stepMs: STEP_MS,
    counts: '',
    laps: null,
    failure: said,
  };
}
