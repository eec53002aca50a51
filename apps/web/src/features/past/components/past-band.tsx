import { Button } from '@mantine/core';
import { IconHistory, IconPlayerTrackNext } from '@tabler/icons-react';
import { useHotkeys } from '../../../lib/use-hotkeys.ts';
import { useNow } from '../../../lib/use-now.ts';
import { momentWords, stepWords } from '../model/bar-words.ts';
import styles from './past.module.css';

/** Over everything while one looks back: which moment this is, and the way back. */
export function PastBand({
  atMs,
  step,
  onLive,
}: {
  /** Null: the address names no time. */
  readonly atMs: number | null;
  /** Null: not known yet. */
  readonly step: string | null;
  readonly onLive: () => void;
}) {
  const nowMs = useNow();
  useHotkeys(['Escape'], onLive);
  const kept = step === null ? null : stepWords(step);
  return (
    <section className={styles.band} aria-label="Past moment">
      <IconHistory aria-hidden size={22} className={styles.bandIcon} />
      <div className={styles.bandText}>
        <p className={styles.bandTime}>
          {atMs === null ? 'You look at no moment' : `You look at ${momentWords(atMs, nowMs)}`}
        </p>
        <p className={styles.bandNote}>
          Recorded: nothing on this page moves, and nothing can be done here. {kept}
        </p>
      </div>
      <Button
        className={styles.bandBack}
        variant="white"
        color="dark"
        rightSection={<IconPlayerTrackNext aria-hidden size={16} />}
        onClick={onLive}
      >
        Back to live
      </Button>
    </section>
  );
}
