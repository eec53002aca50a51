import { Button } from '@mantine/core';
import type { Drill } from '@spillway/shared/api/governor';
import { IconLockOpen } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { drillsQuery, releaseDrill } from '../api/drills.ts';

/** Ends a drill early: one click, no dialog, since there is nothing to lose. Off while no drill has the store, before and after. */
export function ReleaseButton({
  drill,
  disabled = false,
}: {
  readonly drill: Drill | undefined;
  readonly disabled?: boolean;
}) {
  const queryClient = useQueryClient();
  const release = useMutation({
    mutationFn: (of: Drill) => releaseDrill(of),
    onError: (error) => reportFailure('Releasing the store', error),
    onSettled: (_answer, _error, { pipelineId }) =>
      queryClient.invalidateQueries({ queryKey: drillsQuery(pipelineId).queryKey }),
  });
  const stalling = drill?.state === 'stalling';
  return (
    <Button
      leftSection={<IconLockOpen aria-hidden size={16} />}
      // Until the fact follows the wish, whoever had it.
      loading={release.isPending || (stalling && drill.releasedBy !== null)}
      disabled={disabled || !stalling}
      onClick={() => drill !== undefined && release.mutate(drill)}
    >
      Release the store now
    </Button>
  );
}
