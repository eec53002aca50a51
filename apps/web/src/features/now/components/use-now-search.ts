import { useQuery } from '@tanstack/react-query';
import { pipelinesQuery } from '../../pipeline/api/list-pipelines.ts';
import { useNamedPipeline } from '../../pipeline/components/use-named-pipeline.ts';
import { type NowSearch, nowSearch } from '../model/now-search.ts';
import { useLiveRisk } from './use-live-risk.ts';

/** Where every way to Now leads: the link, the brand, the keys and the palette. */
export function useNowSearch(): NowSearch {
  const risk = useLiveRisk();
  const chosen = useNamedPipeline();
  const { data: pipelines = [] } = useQuery(pipelinesQuery);
  return nowSearch({ risk, ids: pipelines.map(({ id }) => id), chosen });
}
