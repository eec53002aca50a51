/** An applier's observer that also meters what each commit was for. */
import type { ApplierObserver } from '../apply/observations.ts';
import type { Clock } from '../clock.ts';
import type { StreamHolding } from './stream-holding.ts';
import type { UsageLedger } from './usage-ledger.ts';

export interface CommitMeter {
  readonly ledger: UsageLedger;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly pipelineId: string;
  readonly holdingOf: (stream: string) => StreamHolding | null;
}

/**
 * Rows of a backfill are not counted here: the store counts them in the transaction that inserts them, which a process that is killed cannot
 * lose, and the tick carries those counts.
 */
export function metersCommits(observer: ApplierObserver, meter: CommitMeter): ApplierObserver {
  const { ledger, clock, pipelineId } = meter;
  return {
    recentFreshnessMsP99: () => observer.recentFreshnessMsP99(),
    entered: (loop, phase) => observer.entered(loop, phase),
    positioned: (stream, position) => observer.positioned(stream, position),
    failed: (error) => observer.failed(error),
    trimming(stream, removed) {
      observer.trimming?.(stream, removed);
      meter.holdingOf(stream)?.trimming(removed, clock);
    },
    counted: (counters) => observer.counted(counters),
    committed(commit) {
      observer.committed(commit);
      const { stream, batch, outcome } = commit;
      const { publisher, events, entries } = batch;
      const backfillId = publisher.kind === 'live' ? null : publisher.backfillId;
      const rows = {
        events: events.length,
        sourceRequests: 0,
        sourceBytes: 0,
        rowsAttempted: events.length,
        rowsInserted: outcome.inserted,
        rowsNoop: outcome.duplicates,
      };
      // De-duplication is part of the insert: no lookup of its own.
      ledger.add(
        { pipelineId, backfillId },
        { streamOperations: entries, storeReads: 0, ...(backfillId === null ? rows : {}) },
      );
      meter.holdingOf(stream)?.applied({ backfillId }, clock.monotonic());
    },
  };
}
