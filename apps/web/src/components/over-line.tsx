import styles from './over-line.module.css';

/** Why a dialog that is open has nothing to ask any more; null: it has. The line has its place from the beginning on: what comes into it moves no button. */
export function OverLine({ words }: { readonly words: string | null }) {
  return (
    <p className={styles.over} role="status">
      {words}
    </p>
  );
}
