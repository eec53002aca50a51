import type { Backfill } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { usePainted } from '../../../lib/use-painted.ts';
import { usePast } from '../../past/components/past-context.ts';
import { recordedRatesQuery } from '../api/get-recorded-rates.ts';
import { type RateBatch, rateBatches } from '../model/recorded-rates.ts';
import { useLiveStore } from './live-context.ts';

/** Draws nothing: reads what was recorded of those at work, so that their sparklines begin before this tab did. */
export function RecordedRates({
  backfills,
}: {
  readonly backfills: readonly Pick<Backfill, 'id' | 'pipelineId' | 'state'>[];
}) {
  const past = usePast();
  const painted = usePainted();
  if (past !== null || !painted) return null;
  return rateBatches(backfills).map((batch) => (
    <OfBatch key={`${batch.pipelineId} ${batch.backfillIds[0]}`} {...batch} />
  ));
}

function OfBatch({ pipelineId, backfillIds }: RateBatch) {
  const store = useLiveStore();
  const { rates } = store;
  const { data } = useQuery(
    recordedRatesQuery(pipelineId, backfillIds, () => store.serverMs(Date.now()) ?? Date.now()),
  );
  useEffect(() => {
    if (data !== undefined) rates.fill(data);
  }, [data, rates]);
  return null;
}
