import { Button, TextInput } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconTrash } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import styles from '../../../components/form.module.css';
import { Panel } from '../../../components/panel.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatWindow } from '../../../lib/instant.ts';
import { currentBackfillsQuery } from '../../backfill/api/list-backfills.ts';
import { StateBadge } from '../../backfill/components/state-badge.tsx';
import { unfinishedStates } from '../../backfill/model/backfills-search.ts';
import { shortId } from '../../backfill/model/short-id.ts';
import { drillsQuery, underWay } from '../../drills/api/drills.ts';
import { pipelinesQuery, withoutPipeline } from '../api/list-pipelines.ts';
import { removePipeline } from '../api/remove-pipeline.ts';
import { removalConsequences, type Stay, whyItStays } from '../model/removal.ts';
import panel from './remove-panel.module.css';

/** For whoever may: what keeps it from being removed, and the dialog that asks. */
export function RemovePanel({
  pipeline,
  onRemoved,
}: {
  readonly pipeline: Pipeline;
  readonly onRemoved: () => void;
}) {
  const queryClient = useQueryClient();
  const [asking, setAsking] = useState(false);
  const [typed, setTyped] = useState('');
  const current = useQuery(currentBackfillsQuery(pipeline.id));
  const drills = useQuery({ ...drillsQuery(pipeline.id), enabled: pipeline.kind === 'built_in' });
  const why = whyItStays({
    backfills: current.data ?? null,
    drill: drills.data?.some(underWay) ?? false,
  });
  const remove = useMutation({
    mutationFn: () => removePipeline(pipeline.id),
    onSuccess: () => {
      onRemoved();
      queryClient.setQueryData(
        pipelinesQuery.queryKey,
        (before) => before && withoutPipeline(before, pipeline.id),
      );
    },
    onError: (error) => reportFailure(`Removing ${pipeline.title}`, error),
    onSettled: () => setAsking(false),
  });
  return (
    <Panel title="Remove pipeline" hint="Nothing of your data is deleted">
      <div className={styles.form}>
        <p className={styles.soft} id="why-it-stays">
          {why?.sentence ??
            'Spillway forgets it; finished backfills, their proofs and the audit stay readable.'}
        </p>
        {why === null || why.named.length === 0 ? null : <Unfinished {...why} />}
        <div className={styles.buttons}>
          <Button
            variant="default"
            leftSection={<IconTrash aria-hidden size={16} />}
            disabled={why !== null}
            aria-describedby="why-it-stays"
            onClick={() => {
              setTyped('');
              setAsking(true);
            }}
          >
            Remove pipeline…
          </Button>
        </div>
      </div>
      <ConsequencesDialog
        opened={asking}
        title={`Remove the pipeline “${pipeline.title}”?`}
        consequences={removalConsequences(pipeline)}
        safeWord="Keep it"
        actWord="Remove pipeline"
        actDisabled={typed.trim() !== pipeline.id}
        over={why?.sentence ?? null}
        busy={remove.isPending}
        onClose={() => setAsking(false)}
        onAct={() => remove.mutate()}
      >
        <TextInput
          label={`Type ${pipeline.id} to confirm`}
          autoComplete="off"
          spellCheck={false}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
        />
      </ConsequencesDialog>
    </Panel>
  );
}

/** Each as its list has it, a click away from its verbs. */
function Unfinished({ named, others }: Pick<Stay<Backfill>, 'named' | 'others'>) {
  return (
    <ul className={panel.unfinished} aria-label="Backfills that are not finished">
      {named.map(({ id, state, window }) => (
        <li key={id}>
          <Link to="/backfills/$backfillId" params={{ backfillId: id }} title={id}>
            {shortId(id)}
          </Link>
          <span>{formatWindow(window)}</span>
          <StateBadge state={state} />
        </li>
      ))}
      {others === 0 ? null : (
        <li>
          <Link to="/backfills" search={{ state: unfinishedStates }}>
            {others} more, among those of all pipelines
          </Link>
        </li>
      )}
    </ul>
  );
}
