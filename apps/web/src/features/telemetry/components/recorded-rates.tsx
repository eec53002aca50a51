import type { Backfill } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { usePainted } from '../../../lib/use-painted.ts';
import { usePast } from '../../past/components/past-context.ts';
import { recordedRatesQuery } from '../api/get-recorded-rates.ts';
import { useLiveStore } from './live-context.ts';

/** Draws nothing: reads what was recorded of those that run, so that their sparklines begin before this tab did. */
export function RecordedRates({
  backfills,
}: {
  readonly backfills: readonly Pick<Backfill, 'id' | 'pipelineId' | 'state'>[];
}) {
  const past = usePast();
  const painted = usePainted();
  if (past !== null || !painted) return null;
  const running = Map.groupBy(
    backfills.filter(({ state }) => state === 'running'),
    ({ pipelineId }) => pipelineId,
  );
  return [...running].map(([pipelineId, of]) => (
    <OfPipeline key={pipelineId} pipelineId={pipelineId} backfillIds={of.map(({ id }) => id).sort()} />
  ));
}

function OfPipeline({
  pipelineId,
  backfillIds,
}: {
  readonly pipelineId: string;
  readonly backfillIds: readonly string[];
}) {
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
