import { Button, Kbd } from '@mantine/core';
import { notifications } from '@mantine/notifications';
import { useEffect, useState } from 'react';
import { ProblemError } from '../lib/http.ts';
import styles from './undo-toast.module.css';

const undoMs = 10_000;

/** What can be taken back now, the latest last. */
const offers = new Map<string, () => void>();

/** Tells what was done and offers ten seconds to take it back. */
export function offerUndo(key: string, title: string, undo: () => void): void {
  const id = undoId(key);
  notifications.hide(id);
  const takeBack = () => {
    notifications.hide(id);
    undo();
  };
  offers.set(id, takeBack);
  notifications.show({
    id,
    title,
    message: <Countdown onUndo={takeBack} />,
    onClose: () => offers.delete(id),
    autoClose: undoMs,
    color: 'yellow',
    withCloseButton: true,
    closeButtonProps: { 'aria-label': 'Dismiss' },
  });
}

/** It has been taken back by other means: the offer goes. */
export function withdrawUndo(key: string): void {
  notifications.hide(undoId(key));
}

/** Takes back what was offered last: its button stands at the end of the page, too far for the keyboard in ten seconds. */
export function undoLatest(): void {
  [...offers.values()].at(-1)?.();
}

const undoId = (key: string) => `undo ${key}`;

/** A command was refused or did not arrive. */
export function reportFailure(what: string, error: unknown): void {
  const problem = error instanceof ProblemError ? error.problem : null;
  notifications.show({
    title: `${what} failed`,
    message: (
      <>
        {error instanceof Error ? error.message : 'Something failed here.'}
        {problem === null ? null : <span className={styles.request}>request {problem.requestId}</span>}
      </>
    ),
    color: 'alarm',
    autoClose: 12_000,
    closeButtonProps: { 'aria-label': 'Dismiss' },
  });
}

function Countdown({ onUndo }: { readonly onUndo: () => void }) {
  const [seconds, setSeconds] = useState(undoMs / 1_000);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((left) => Math.max(0, left - 1)), 1_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <span className={styles.row}>
      <Button size="compact-sm" variant="default" aria-keyshortcuts="u" onClick={onUndo}>
        Undo
      </Button>
      <span className={styles.soft} aria-hidden>
        or <Kbd size="xs">u</Kbd>, for {seconds} s
      </span>
    </span>
  );
}
