import { formatRatio, known } from '../../../lib/format.ts';
import styles from './stage-bar.module.css';

type Ratio = number | null;

/** Where a stage's time goes. The words below it carry the same numbers, for those who do not see the colours. */
export function StageBar({
  busy,
  blocked,
  idle,
}: {
  readonly busy: Ratio;
  readonly blocked: Ratio;
  readonly idle: Ratio;
}) {
  const width = (ratio: Ratio) => `${Math.min(1, Math.max(0, ratio ?? 0)) * 100}%`;
  return (
    <div>
      <div className={styles.bar} aria-hidden>
        <span className={styles.busy} style={{ width: width(busy) }} />
        <span className={styles.blocked} style={{ width: width(blocked) }} />
      </div>
      <p className={styles.words}>
        <span>
          <i className={styles.busyKey} aria-hidden /> busy {formatRatio(busy)}
        </span>
        {known(blocked) ? (
          <span data-loud={blocked > 0.5 || undefined}>
            <i className={styles.blockedKey} aria-hidden /> blocked {formatRatio(blocked)}
          </span>
        ) : null}
        {known(idle) ? (
          <span>
            <i className={styles.idleKey} aria-hidden /> idle {formatRatio(idle)}
          </span>
        ) : null}
      </p>
    </div>
  );
}
