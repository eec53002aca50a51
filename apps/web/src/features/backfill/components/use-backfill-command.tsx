import type { Backfill } from '@spillway/shared/api/backfill';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { offerUndo, reportFailure, withdrawUndo } from '../../../components/undo-toast.tsx';
import { type Command, commandBackfill } from '../api/command-backfill.ts';
import { backfillKeys } from '../api/keys.ts';
import type { BackfillList } from '../api/list-backfills.ts';

interface Order {
  readonly backfill: Pick<Backfill, 'id'>;
  readonly verb: Command;
  readonly reason?: string;
}

const doing: Readonly<Record<Command, string>> = {
  pause: 'Pausing',
  resume: 'Resuming',
  cancel: 'Cancelling',
  retry: 'Retrying',
};

/**
 * Pause, resume, cancel, retry. Only pause is shown before the server has answered, as "Pausing…", for it can be
 * undone; whether it has paused is the workers' to say.
 */
export function useBackfillCommand() {
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: ({ backfill, verb, reason }: Order) => commandBackfill(backfill.id, verb, reason),
    onMutate: ({ backfill, verb }) => {
      if (verb !== 'pause') return;
      const show = (each: Backfill): Backfill =>
        each.id === backfill.id && each.state === 'running' ? { ...each, state: 'pausing' } : each;
      queryClient.setQueryData<Backfill>(backfillKeys.one(backfill.id), (before) => before && show(before));
      queryClient.setQueriesData<BackfillList>(
        { queryKey: backfillKeys.lists },
        (list) => list && { ...list, items: list.items.map(show) },
      );
    },
    onSuccess: (_receipt, { backfill, verb }) => {
      if (verb !== 'pause') withdrawUndo(backfill.id);
      if (verb === 'pause')
        offerUndo(backfill.id, `${backfill.id} is pausing`, () =>
          mutation.mutate({ backfill, verb: 'resume' }),
        );
    },
    onError: (error, { backfill, verb }) => reportFailure(`${doing[verb]} ${backfill.id}`, error),
    onSettled: (_receipt, _error, { backfill }) =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: backfillKeys.one(backfill.id) }),
        queryClient.invalidateQueries({ queryKey: backfillKeys.lists }),
      ]),
  });
  return { order: mutation.mutate, busy: mutation.isPending };
}
