import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { offerUndo, reportFailure, withdrawUndo } from '../../../components/undo-toast.tsx';
import { backfillKeys } from '../../backfill/api/keys.ts';
import { brakeReplay } from '../api/brake-replay.ts';
import { pipelinesQuery } from '../api/list-pipelines.ts';

/** The emergency brake of a pipeline: one click, no dialog, ten seconds to take it back. */
export function useBrake() {
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: ({
      pipeline,
      verb,
    }: {
      readonly pipeline: Pipeline;
      readonly verb: 'pause-replay' | 'resume-replay';
    }) => brakeReplay(pipeline.id, verb),
    onSuccess: (_receipt, { pipeline, verb }) => {
      if (verb === 'resume-replay') withdrawUndo(pipeline.id);
      if (verb === 'pause-replay')
        offerUndo(pipeline.id, `All replay of ${pipeline.title} is pausing`, () =>
          mutation.mutate({ pipeline, verb: 'resume-replay' }),
        );
    },
    onError: (error, { verb }) =>
      reportFailure(verb === 'pause-replay' ? 'Pausing all replay' : 'Resuming replay', error),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: pipelinesQuery.queryKey }),
        queryClient.invalidateQueries({ queryKey: backfillKeys.lists }),
      ]),
  });
  return {
    busy: mutation.isPending,
    pause: (pipeline: Pipeline) => mutation.mutate({ pipeline, verb: 'pause-replay' }),
    resume: (pipeline: Pipeline) => mutation.mutate({ pipeline, verb: 'resume-replay' }),
  };
}
