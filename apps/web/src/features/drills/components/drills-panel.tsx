import { Button, NumberInput, Skeleton } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconFlame } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useEffectEvent, useState } from 'react';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { useSettling } from '../../../lib/use-settling.ts';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { drillsQuery, startDrill, underWay } from '../api/drills.ts';
import { DrillReport } from './drill-report.tsx';
import styles from './drills-panel.module.css';
import { ReleaseButton } from './release-button.tsx';

const longestSeconds = 30;
const shownAtOnce = 3;

/** Fire drills: the store is really stalled, for a bounded while, and the chain is watched as it reacts. */
export function DrillsPanel({ pipeline }: { readonly pipeline: Pipeline }) {
  const queryClient = useQueryClient();
  const isOurs = pipeline.external === null;
  const drills = useQuery({ ...drillsQuery(pipeline.id), enabled: isOurs });
  // Somebody else's: its marker is the first that is heard of it.
  const startedAt = useLivePipeline(pipeline.id)?.markers.findLast(
    ({ action }) => action === 'pipeline.drill',
  )?.at;
  const readAgain = useEffectEvent(() => void drills.refetch());
  useEffect(() => {
    if (startedAt !== undefined) readAgain();
  }, [startedAt]);
  const [asking, setAsking] = useState(false);
  const [seconds, setSeconds] = useState<number | null>(5);
  const start = useMutation({
    mutationFn: (forMs: number) => startDrill(pipeline.id, forMs),
    onSuccess: () => setAsking(false),
    onError: (error) => reportFailure('Starting the drill', error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: drillsQuery(pipeline.id).queryKey }),
  });
  const mayStart = pipeline.allowedActions.includes('start_drill');
  const mayRelease = pipeline.allowedActions.includes('release_drill');
  const stalling = drills.data?.find(({ state }) => state === 'stalling');
  // Both verbs have one place: what comes to stand in it is not to be pressed by the click that was meant for the other.
  const verb = mayRelease && (stalling !== undefined || !mayStart) ? 'release' : mayStart ? 'start' : null;
  const settling = useSettling(verb ?? '');
  const fits = seconds !== null && seconds >= 0.1 && seconds <= longestSeconds;
  return (
    <Panel
      id="drills"
      title="Fire drills"
      {...(isOurs ? { hint: 'A real, bounded stall of the store' } : {})}
      aside={
        verb === null ? undefined : (
          <div className={styles.verb}>
            {verb === 'release' ? (
              <ReleaseButton drill={stalling} disabled={settling} />
            ) : (
              <Button
                variant="default"
                leftSection={<IconFlame aria-hidden size={16} />}
                disabled={settling || (drills.data?.some(underWay) ?? true)}
                onClick={() => setAsking(true)}
              >
                Start a drill…
              </Button>
            )}
          </div>
        )
      }
    >
      {!isOurs ? (
        <Empty title="No drill can be run here">
          The store is your own, and not Spillway’s to be stalled: stop your consumers for a while, and see
          the reader wait.
        </Empty>
      ) : drills.isPending ? (
        <Skeleton height={120} />
      ) : drills.isLoadingError ? (
        <Failed what="The drills" error={drills.error} onRetry={() => void drills.refetch()} />
      ) : drills.data.length === 0 ? (
        <Empty title="No drill has been run">
          A drill shows that backpressure reaches the reader: the store stands still for some seconds, the
          stream fills, the reader stops, and all of it recovers by itself.
        </Empty>
      ) : (
        drills.data.slice(0, shownAtOnce).map((drill) => <DrillReport key={drill.id} drill={drill} />)
      )}
      <ConsequencesDialog
        opened={asking}
        title="Really stall the store?"
        consequences={[
          'Nothing is written to the store while it lasts: live events wait in the stream and are applied late. None is lost.',
          'Replay stops as soon as the governor notices, and starts again when live has caught up.',
          `It ends by itself after the time below, at most ${longestSeconds} s, also if Spillway is killed.`,
        ]}
        safeWord="Leave it running"
        actWord="Stall the store"
        actDisabled={!fits}
        busy={start.isPending}
        onClose={() => setAsking(false)}
        onAct={() => seconds !== null && start.mutate(Math.round(seconds * 1_000))}
      >
        <NumberInput
          label="For how long"
          suffix=" s"
          allowNegative={false}
          clampBehavior="none"
          w={180}
          value={seconds ?? ''}
          error={fits ? undefined : `Between 0.1 and ${longestSeconds} seconds`}
          onChange={(value) => setSeconds(typeof value === 'number' ? value : null)}
        />
      </ConsequencesDialog>
    </Panel>
  );
}
