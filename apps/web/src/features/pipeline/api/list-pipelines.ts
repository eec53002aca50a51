import { firstAsked } from '@spillway/shared/api/first-asked';
import type { Pipeline, PipelinePage } from '@spillway/shared/api/pipeline';
import { queryOptions } from '@tanstack/react-query';
import type { Static } from 'typebox';
import { request } from '../../../lib/http.ts';

export const pipelinesQuery = queryOptions({
  queryKey: ['pipelines'],
  queryFn: async ({ signal }): Promise<readonly Pipeline[]> =>
    (await request<Static<typeof PipelinePage>>(firstAsked.pipelines, { signal })).items,
  staleTime: 30_000,
});

/** With one as the server has just told of it; one that was not there is new. */
export function withPipeline(pipelines: readonly Pipeline[], told: Pipeline): readonly Pipeline[] {
  return pipelines.some(({ id }) => id === told.id)
    ? pipelines.map((each) => (each.id === told.id ? told : each))
    : [...pipelines, told];
}

export function withoutPipeline(pipelines: readonly Pipeline[], removed: string): readonly Pipeline[] {
  return pipelines.filter(({ id }) => id !== removed);
}

/** The one the address names; where it names none the first, one of ours before one of the user's own. Undefined: there is none. */
export function chosenOf(pipelines: readonly Pipeline[], id: string | undefined): Pipeline | undefined {
  if (id !== undefined) return pipelines.find((each) => each.id === id);
  return pipelines.find(({ kind }) => kind === 'built_in') ?? pipelines[0];
}
