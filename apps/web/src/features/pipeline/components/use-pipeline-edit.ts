import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ProblemError } from '../../../lib/http.ts';
import { useChangedBy } from '../../telemetry/components/use-changed-by.ts';
import { pipelinesQuery } from '../api/list-pipelines.ts';
import { patchPipeline } from '../api/patch-pipeline.ts';

interface PipelineEdit {
  readonly patch: PatchPipeline;
  /** As it was when the edit began. */
  readonly base: Pipeline;
}

/**
 * Changes settings on the revision the edit began with. When somebody changed the same settings in between, what they changed is
 * in `conflict`; when they changed others, the edit is made on theirs without a word.
 */
export function usePipelineEdit(
  changesBetween: (before: Pipeline, current: Pipeline) => readonly string[],
  onDone: () => void,
) {
  const queryClient = useQueryClient();
  const [conflict, setConflict] = useState<{ current: Pipeline; changes: readonly string[] } | null>(null);
  const mutation = useMutation({
    mutationFn: ({ patch, base, revision }: PipelineEdit & { readonly revision: number }) =>
      patchPipeline(base.id, patch, revision),
    onSuccess: (pipeline) => {
      queryClient.setQueryData(pipelinesQuery.queryKey, (before) =>
        before?.map((each) => (each.id === pipeline.id ? pipeline : each)),
      );
      setConflict(null);
      onDone();
    },
    onError: (error, edit) => {
      if (!(error instanceof ProblemError) || error.status !== 412) return;
      const current = error.problem.current as Pipeline | undefined;
      if (current === undefined) return;
      const changes = changesBetween(edit.base, current);
      if (changes.length === 0) mutation.mutate({ ...edit, revision: current.revision });
      else setConflict({ current, changes });
    },
  });
  return {
    conflict,
    busy: mutation.isPending,
    refusal: mutation.error instanceof ProblemError && mutation.error.status === 412 ? null : mutation.error,
    save: (edit: PipelineEdit) => mutation.mutate({ ...edit, revision: edit.base.revision }),
    saveOver: (edit: PipelineEdit) =>
      mutation.mutate({ ...edit, revision: conflict?.current.revision ?? edit.base.revision }),
    reset: () => {
      setConflict(null);
      mutation.reset();
    },
  };
}

/** Who changed the pipeline's settings since the edit began, where this tab has heard of it. */
export function useConfiguredBy(pipelineId: string, editing: boolean) {
  return useChangedBy(pipelineId, editing, ({ action }) => action === 'pipeline.configure');
}
