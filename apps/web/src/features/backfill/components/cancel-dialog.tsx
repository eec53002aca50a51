import { Button, Modal, Textarea, TextInput } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { type FormEvent, useState } from 'react';
import { OverLine } from '../../../components/over-line.tsx';
import { formatCount } from '../../../lib/format.ts';
import { overWords } from '../model/over.ts';
import styles from './cancel-dialog.module.css';

interface CancelDialogProps {
  readonly backfill: Backfill;
  readonly opened: boolean;
  readonly onClose: () => void;
  readonly onCancel: (reason: string) => void;
}

/** Cancelling is final: what it does, why it is done, and the id typed out. The safe button has the focus. */
export function CancelDialog({ backfill, opened, onClose, onCancel }: CancelDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={`Cancel ${backfill.id}?`}>
      <CancelForm key={String(opened)} backfill={backfill} onClose={onClose} onCancel={onCancel} />
    </Modal>
  );
}

function CancelForm({ backfill, onClose, onCancel }: Omit<CancelDialogProps, 'opened'>) {
  // As it was when the dialog opened: live updates do not touch an open dialog.
  const [preview] = useState(backfill.progress);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const left = preview.subwindowsTotal - preview.subwindowsDone;
  const over = overWords(backfill, 'cancel');
  const ready = over === null && typed.trim() === backfill.id && reason.trim() !== '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready) onCancel(reason.trim());
  };
  return (
    <form onSubmit={submit} className={styles.form}>
      <ul className={styles.preview}>
        <li>
          The workers stop reading; {formatCount(left)} of {formatCount(preview.subwindowsTotal)} subwindows
          stay undone.
        </li>
        <li>
          {preview.eventsApplied === null
            ? `The ${formatCount(preview.eventsPublished)} events already published stay on your stream: what your consumers make of them is theirs.`
            : `The ${formatCount(preview.eventsApplied)} events already applied stay in the store. They are correct; the window is only incomplete.`}
        </li>
        <li>
          A cancelled backfill cannot be resumed. The same window can be started again: what is there already
          counts as duplicate.
        </li>
      </ul>
      <Textarea
        label="Reason"
        description="Has to be given, and is kept in the audit"
        required
        withAsterisk={false}
        maxLength={500}
        autosize
        minRows={2}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <TextInput
        label={`Type ${backfill.id} to confirm`}
        autoComplete="off"
        spellCheck={false}
        value={typed}
        onChange={(event) => setTyped(event.currentTarget.value)}
      />
      <OverLine words={over} />
      <div className={styles.buttons}>
        <Button variant="default" data-autofocus onClick={onClose}>
          Keep it
        </Button>
        <Button type="submit" color="alarm" disabled={!ready}>
          Cancel the backfill
        </Button>
      </div>
    </form>
  );
}
