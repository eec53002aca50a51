import type { Backfill } from '@spillway/shared/api/backfill';
import { useQueries } from '@tanstack/react-query';
import { usePast } from '../../past/components/past-context.ts';
import { recordedQuery } from '../api/get-recorded.ts';
import type { LinePoint } from '../model/paths.ts';
import { rateBatches, rateName, rateStretchMs, ratesUpTo } from '../model/recorded-rates.ts';

/** Of a past moment: the rates of those at work as they were recorded before it, by backfill. Of the present nothing: each second tells it. */
export function useRatesBefore(
  backfills: readonly Pick<Backfill, 'id' | 'pipelineId' | 'state'>[],
): Readonly<Record<string, readonly LinePoint[]>> {
  const past = usePast();
  const atMs = past?.atMs ?? 0;
  const stretchMs = rateStretchMs(atMs, Date.now());
  return useQueries({
    queries: (past === null ? [] : rateBatches(backfills)).map(({ pipelineId, backfillIds }) =>
      recordedQuery(pipelineId, atMs, stretchMs, backfillIds.map(rateName)),
    ),
    combine: (answers) =>
      Object.assign({}, ...answers.map(({ data }) => ratesUpTo(data?.series ?? {}, atMs, stretchMs))),
  });
}
