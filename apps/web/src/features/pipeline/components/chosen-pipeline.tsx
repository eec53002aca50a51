import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Failed } from '../../../components/failed.tsx';
import { PagePending } from '../../../components/page-states.tsx';
import { chosenOf, pipelinesQuery } from '../api/list-pipelines.ts';
import { NoPipeline, UnknownPipeline } from './no-pipeline.tsx';
import { PipelineChoice } from './pipeline-choice.tsx';

/** A screen about one pipeline: the one that the address names; where it names none, the first. */
export function ChosenPipeline({
  id,
  onChoose,
  children,
}: {
  /** Of the address. */
  readonly id: string | undefined;
  readonly onChoose: (id: string) => void;
  /** `choice` is null where there is nothing to choose. */
  readonly children: (pipeline: Pipeline, choice: ReactNode) => ReactNode;
}) {
  const pipelines = useQuery(pipelinesQuery);
  if (pipelines.isPending) return <PagePending />;
  if (pipelines.isLoadingError)
    return (
      <Failed
        heading="h1"
        what="The pipelines"
        error={pipelines.error}
        onRetry={() => void pipelines.refetch()}
      />
    );
  const pipeline = chosenOf(pipelines.data, id);
  if (pipeline === undefined) {
    const first = chosenOf(pipelines.data, undefined);
    return id === undefined || first === undefined ? (
      <NoPipeline />
    ) : (
      <UnknownPipeline id={id} first={first} onChoose={onChoose} />
    );
  }
  return children(
    pipeline,
    <PipelineChoice pipelines={pipelines.data} chosen={pipeline} onChoose={onChoose} />,
  );
}
