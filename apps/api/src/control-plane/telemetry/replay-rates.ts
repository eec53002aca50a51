/**
 * Events/s of each backfill, in memory: published as the control database counts it, applied as the appliers tell it. What of them a pipeline shows is
 * decided in one place (`@spillway/shared/telemetry/replay-rate`), for every screen.
 */
import type { ReplayRate } from '@spillway/shared/api/pipeline';
import { RateBook } from '@spillway/shared/telemetry/rate-book';
import { partOf, REPLAY_RATE_WINDOW_MS, replayRate } from '@spillway/shared/telemetry/replay-rate';
import type { PipelineRow } from '../pipelines/rows.ts';

type Rates = ReadonlyMap<string, number> | null;

export class ReplayRates {
  /** Unfinished backfills, and for a while those that have ended: what is left of them on the stream is still applied. */
  readonly #owners = new Map<string, { readonly pipelineId: string; readonly seenMs: number }>();
  /** By pipeline. */
  readonly #published = new Map<string, RateBook>();

  /** Every unfinished one of the pipeline, absolute. */
  observePublished(pipelineId: string, byBackfill: ReadonlyMap<string, number>, nowMs: number): void {
    for (const id of byBackfill.keys()) this.#owners.set(id, { pipelineId, seenMs: nowMs });
    const book = this.#published.get(pipelineId) ?? new RateBook(REPLAY_RATE_WINDOW_MS);
    this.#published.set(pipelineId, book);
    book.observe(byBackfill, nowMs);
  }

  forgetBefore(ms: number): void {
    for (const [id, { seenMs }] of this.#owners) if (seenMs < ms) this.#owners.delete(id);
  }

  pipelineOf(backfillId: string): string | null {
    return this.#owners.get(backfillId)?.pipelineId ?? null;
  }

  published(pipelineId: string, nowMs: number): Rates {
    return this.#published.get(pipelineId)?.eventsPerSecond(nowMs) ?? null;
  }

  /** `applied`: by whoever applies its replay now, who applies that of every pipeline of the store; null: nobody does. */
  of({ id, external }: PipelineRow, applied: Rates, atWork: Iterable<string>, nowMs: number): ReplayRate {
    if (external !== null) return replayRate('published', this.published(id, nowMs), atWork);
    const own =
      applied === null ? null : [...applied].filter(([backfill]) => this.pipelineOf(backfill) === id);
    return replayRate('applied', own === null ? null : new Map(own), atWork);
  }

  /** Of one, as in the sum. */
  appliedOf(backfillId: string, applied: Rates): number | null {
    return applied === null ? null : partOf(applied, backfillId);
  }
}
