import styles from './meter.module.css';

interface MeterProps {
  /** 0 to 100; null is unknown. */
  readonly percent: number | null;
  readonly label: string;
  readonly tone: 'replay' | 'warn' | 'good' | 'bad' | 'quiet' | 'live';
}

/** A bar of progress or of fill. The number stands beside it in words. */
export function Meter({ percent, label, tone }: MeterProps) {
  return (
    <div
      className={styles.track}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      {...(percent === null ? {} : { 'aria-valuenow': Math.round(percent) })}
    >
      <div
        className={styles.fill}
        data-tone={tone}
        style={{ width: `${Math.min(100, Math.max(0, percent ?? 0))}%` }}
      />
    </div>
  );
}
