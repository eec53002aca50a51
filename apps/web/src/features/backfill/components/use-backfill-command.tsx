import type { Backfill } from '@spillway/shared/api/backfill';
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { offerUndo, reportFailure, withdrawUndo } from '../../../components/undo-toast.tsx';
import { type Command, commandBackfill } from '../api/command-backfill.ts';
import { backfillKeys } from '../api/keys.ts';
import type { BackfillList } from '../api/list-backfills.ts';
import { asPausing, notPausing } from '../model/pause-asked.ts';

interface Order {
  readonly backfills: readonly Pick<Backfill, 'id'>[];
  readonly verb: Command;
  readonly reason?: string;
}

const doing: Readonly<Record<Command, string>> = {
  pause: 'Pausing',
  resume: 'Resuming',
  cancel: 'Cancelling',
  retry: 'Retrying',
};

const named = (backfills: Order['backfills']) =>
  backfills.length === 1 ? (backfills[0]?.id ?? '') : `${backfills.length} backfills`;

/**
 * Pause, resume, cancel, retry. Only pause is shown before the server has answered, as "Pausing…", for it can be
 * undone; whether it has paused is the workers' to say.
 */
export function useBackfillCommand() {
  const queryClient = useQueryClient();
  const mutation = useMutation({
    mutationFn: ({ backfills, verb, reason }: Order) =>
      Promise.allSettled(backfills.map(({ id }) => commandBackfill(id, verb, reason))),
    onMutate: ({ backfills, verb }) => {
      if (verb === 'pause') show(queryClient, backfills, asPausing);
    },
    onSuccess: (outcomes, { backfills, verb }) => {
      const taken = backfills.filter((_, index) => outcomes[index]?.status === 'fulfilled');
      const others = backfills.filter((each) => !taken.includes(each));
      if (verb === 'pause') show(queryClient, others, notPausing);
      // One offer for all of them: fifty would stand in line for minutes.
      if (verb !== 'pause') for (const { id } of backfills) withdrawUndo(id);
      else if (taken.length > 0)
        offerUndo(
          taken.map(({ id }) => id).join(' '),
          `${named(taken)} ${taken.length === 1 ? 'is' : 'are'} pausing`,
          () => mutation.mutate({ backfills: taken, verb: 'resume' }),
        );
      const refused = outcomes.find((each) => each.status === 'rejected');
      if (refused !== undefined) reportFailure(`${doing[verb]} ${named(others)}`, refused.reason);
    },
    onSettled: (_outcomes, _error, { backfills }) =>
      Promise.all([
        ...backfills.map(({ id }) => queryClient.invalidateQueries({ queryKey: backfillKeys.one(id) })),
        queryClient.invalidateQueries({ queryKey: backfillKeys.lists }),
      ]),
  });
  return {
    order: ({ backfill, ...rest }: Omit<Order, 'backfills'> & { readonly backfill: Pick<Backfill, 'id'> }) =>
      mutation.mutate({ backfills: [backfill], ...rest }),
    pauseAll: (backfills: Order['backfills']) => mutation.mutate({ backfills, verb: 'pause' }),
    busy: mutation.isPending,
  };
}

/** Wherever they stand on the page. */
function show(
  queryClient: QueryClient,
  backfills: Order['backfills'],
  as: (backfill: Backfill) => Backfill,
): void {
  const ids = new Set(backfills.map(({ id }) => id));
  for (const id of ids)
    queryClient.setQueryData<Backfill>(backfillKeys.one(id), (before) => before && as(before));
  queryClient.setQueriesData<BackfillList>(
    { queryKey: backfillKeys.lists },
    (list) => list && { ...list, items: list.items.map((each) => (ids.has(each.id) ? as(each) : each)) },
  );
}
