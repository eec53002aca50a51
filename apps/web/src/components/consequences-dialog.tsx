import { Button, Modal } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import styles from './consequences-dialog.module.css';
import { OverLine } from './over-line.tsx';

interface ConsequencesDialogProps {
  readonly opened: boolean;
  readonly title: string;
  /** What will really happen, one sentence each. */
  readonly consequences: readonly string[];
  /** Something that has to be typed first. */
  readonly children?: ReactNode;
  readonly safeWord: string;
  readonly actWord: string;
  readonly actDisabled?: boolean;
  /** Why there is nothing to ask any more; null: there is. Left out where it is always asked for its own sake. */
  readonly over?: string | null;
  readonly busy?: boolean;
  readonly onClose: () => void;
  readonly onAct: () => void;
}

/** Asks before something that hurts if it is a mistake: what it does, and the safe button has the focus. */
export function ConsequencesDialog({ opened, title, onClose, ...rest }: ConsequencesDialogProps) {
  return (
    <Modal opened={opened} onClose={onClose} title={title}>
      <Content onClose={onClose} {...rest} />
    </Modal>
  );
}

function Content({
  consequences,
  children,
  safeWord,
  actWord,
  actDisabled = false,
  over,
  busy = false,
  onClose,
  onAct,
}: Omit<ConsequencesDialogProps, 'opened' | 'title'>) {
  // As it was when the dialog opened: live updates do not touch an open dialog.
  const [said] = useState(consequences);
  return (
    <div className={styles.content}>
      <ul className={styles.list}>
        {said.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
      </ul>
      {children}
      {over === undefined ? null : <OverLine words={over} />}
      <div className={styles.buttons}>
        <Button variant="default" data-autofocus onClick={onClose}>
          {safeWord}
        </Button>
        <Button
          color="alarm"
          disabled={actDisabled || typeof over === 'string'}
          loading={busy}
          onClick={onAct}
        >
          {actWord}
        </Button>
      </div>
    </div>
  );
}
