import type { Limits, PatchLimits } from '@spillway/shared/api/backfill';
import { formatRate, formatRatio } from '../../../lib/format.ts';
import { formatMoney } from '../../../lib/money.ts';

/** What an operator sets: one rate, or one share. With neither, the pipeline's default share applies. */
export interface LimitsDraft {
  readonly by: 'rate' | 'share';
  readonly eventsPerSecond: number;
  readonly sharePercent: number;
  readonly concurrency: number;
}

export function draftOf(limits: Limits, defaultShare: number, suggestedRate: number): LimitsDraft {
  return {
    by: limits.eventsPerSecond === null ? 'share' : 'rate',
    eventsPerSecond: limits.eventsPerSecond ?? suggestedRate,
    sharePercent: Math.round((limits.share ?? defaultShare) * 100),
    concurrency: limits.concurrency,
  };
}

/**
 * What was changed, and nothing else: what somebody else changes meanwhile stays theirs. Setting a rate clears the share and the other way round, so
 * that what is shown is the one limit there is; who changes neither leaves them as they are: a share beside a rate, the pipeline's own share, a
 * share that is no whole number of percents.
 */
export function patchOf(draft: LimitsDraft, before: Limits, defaultShare: number): PatchLimits {
  const was = draftOf(before, defaultShare, draft.eventsPerSecond);
  const same =
    draft.by === was.by &&
    (draft.by === 'rate'
      ? draft.eventsPerSecond === was.eventsPerSecond
      : draft.sharePercent === was.sharePercent);
  if (same) return { concurrency: draft.concurrency };
  return {
    ...(draft.by === 'rate'
      ? { eventsPerSecond: draft.eventsPerSecond, share: null }
      : { eventsPerSecond: null, share: draft.sharePercent / 100 }),
    ...(draft.concurrency === before.concurrency ? {} : { concurrency: draft.concurrency }),
  };
}

export function sameLimits(a: Limits, b: Limits): boolean {
  return (
    a.eventsPerSecond === b.eventsPerSecond &&
    a.share === b.share &&
    a.concurrency === b.concurrency &&
    a.budget?.amount === b.budget?.amount
  );
}

export function describeLimits(limits: Limits, defaultShare: number | null): string {
  const parts: string[] = [];
  if (limits.eventsPerSecond !== null) parts.push(formatRate(limits.eventsPerSecond));
  if (limits.share !== null) parts.push(`${formatRatio(limits.share)} of capacity`);
  if (parts.length === 0)
    parts.push(
      defaultShare === null
        ? 'the pipeline’s default share'
        : `the pipeline’s default share, ${formatRatio(defaultShare)} of capacity`,
    );
  return `${parts.join(' and ')}; concurrency ${limits.concurrency}`;
}

/** What changed from one to the other, in words; empty when nothing did. */
export function describeChange(before: Limits, after: Limits): string[] {
  const changes: string[] = [];
  const rate = (value: number | null) => (value === null ? 'no rate' : formatRate(value));
  const share = (value: number | null) => (value === null ? 'no share' : `${formatRatio(value)} of capacity`);
  if (before.eventsPerSecond !== after.eventsPerSecond)
    changes.push(`rate: ${rate(before.eventsPerSecond)} → ${rate(after.eventsPerSecond)}`);
  if (before.share !== after.share) changes.push(`share: ${share(before.share)} → ${share(after.share)}`);
  if (before.concurrency !== after.concurrency)
    changes.push(`concurrency: ${before.concurrency} → ${after.concurrency}`);
  const budget = (value: Limits['budget']) => (value === null ? 'none' : formatMoney(value));
  if (before.budget?.amount !== after.budget?.amount)
    changes.push(`budget: ${budget(before.budget)} → ${budget(after.budget)}`);
  return changes;
}
