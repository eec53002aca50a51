import { Kbd, Modal } from '@mantine/core';
import styles from './keys.module.css';

const help: readonly (readonly [string, string])[] = [
  ['g n', 'Go to Now'],
  ['g b', 'Go to Backfills'],
  ['g p', 'Go to Pipeline'],
  ['g s', 'Go to Streams'],
  ['g c', 'Go to Cost'],
  ['g r', 'Go to Readiness'],
  ['g a', 'Go to Audit'],
  ['g ,', 'Go to Settings'],
  ['/', 'Filter, or find anything'],
  ['j  k', 'Next and previous backfill of a list'],
  ['Enter', 'Open the chosen backfill'],
  ['p', 'Pause the chosen or open backfill (10 s to undo)'],
  ['u', 'Undo the latest pause, for as long as that is offered'],
  ['t', 'Throttle the chosen or open backfill'],
  ['← →', 'On the time bar: a moment back and forth (Page Up and Down: thirty)'],
  ['Esc', 'From a past moment back to live'],
  ['Ctrl K', 'Command palette (⌘ K on a Mac)'],
  ['?', 'This list'],
];

export function KeysHelp({ opened, onClose }: { readonly opened: boolean; readonly onClose: () => void }) {
  return (
    <Modal opened={opened} onClose={onClose} title="Keys">
      <dl className={styles.keys}>
        {help.map(([keys, does]) => (
          <div key={keys} className={styles.row}>
            <dt>{keys.split(' ').map((key) => (key === '' ? ' ' : <Kbd key={key}>{key}</Kbd>))}</dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <p className={styles.note}>Keys are ignored while you type. Nothing that destroys has one.</p>
    </Modal>
  );
}
