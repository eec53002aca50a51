import { Button } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { IconBan, IconCoin, IconPlayerPause, IconPlayerPlay, IconRefresh } from '@tabler/icons-react';
import { useState } from 'react';
import { useHotkeys } from '../../../lib/use-hotkeys.ts';
import { useSettling } from '../../../lib/use-settling.ts';
import { waitsForBudget } from '../model/spent-budget.ts';
import { CancelDialog } from './cancel-dialog.tsx';
import { useBackfillCommand } from './use-backfill-command.tsx';
import styles from './verb-bar.module.css';

/** The verbs this state and this caller allow; throttling has a panel of its own. */
export function VerbBar({ backfill }: { readonly backfill: Backfill }) {
  const { order, busy } = useBackfillCommand();
  const [cancelling, setCancelling] = useState(false);
  const may = (verb: Backfill['allowedActions'][number]) => backfill.allowedActions.includes(verb);
  const settling = useSettling(
    `${backfill.id} ${may('pause') ? 'pause' : may('resume') ? 'resume' : 'neither'}`,
  );

  useHotkeys(['p', 't'], (name) => {
    if (name === 'p' && may('pause') && backfill.state === 'running') order({ backfill, verb: 'pause' });
    if (name === 't') focusThrottle();
  });

  return (
    // biome-ignore lint/a11y/useSemanticElements: no fields stand in it.
    <div className={styles.bar} role="group" aria-label={`Verbs for ${backfill.id}`}>
      {may('pause') ? (
        <Button
          variant="default"
          leftSection={<IconPlayerPause aria-hidden size={16} />}
          disabled={busy}
          onClick={() => order({ backfill, verb: 'pause' })}
        >
          Pause
        </Button>
      ) : null}
      {may('resume') ? (
        <Button
          leftSection={<IconPlayerPlay aria-hidden size={16} />}
          loading={busy}
          disabled={settling}
          onClick={() => order({ backfill, verb: 'resume' })}
        >
          Resume
        </Button>
      ) : null}
      {waitsForBudget(backfill) ? (
        <Button leftSection={<IconCoin aria-hidden size={16} />} onClick={focusBudget}>
          Raise budget…
        </Button>
      ) : null}
      {may('retry') ? (
        <Button
          leftSection={<IconRefresh aria-hidden size={16} />}
          loading={busy}
          onClick={() => order({ backfill, verb: 'retry' })}
        >
          Retry
        </Button>
      ) : null}
      {may('cancel') ? (
        <Button
          variant="default"
          className={styles.cancel}
          leftSection={<IconBan aria-hidden size={16} />}
          onClick={() => setCancelling(true)}
        >
          Cancel…
        </Button>
      ) : null}
      {/* Stays open, whatever becomes of the verb. */}
      <CancelDialog
        backfill={backfill}
        opened={cancelling}
        onClose={() => setCancelling(false)}
        onCancel={(reason) => {
          setCancelling(false);
          order({ backfill, verb: 'cancel', reason });
        }}
      />
    </div>
  );
}

export function focusThrottle(): void {
  focusIn('throttle', 'input[data-throttle-number]');
}

function focusBudget(): void {
  focusIn('budget', 'input');
}

function focusIn(formId: string, field: string): void {
  const form = document.getElementById(formId);
  form?.scrollIntoView({ block: 'center' });
  form?.querySelector<HTMLElement>(field)?.focus();
}
