import type { Effective } from '@spillway/shared/api/backfill';
import type { Signal } from '@spillway/shared/api/governor';
import { formatRate } from '../../../lib/format.ts';
import { plainWords } from '../../governor/model/plain-words.ts';
import { usePast } from '../../past/components/past-context.ts';
import { ceilingBars, ceilingMeanings, ceilingScale, ceilingWords } from '../model/ceilings.ts';
import styles from './ceilings.module.css';

interface CeilingBarsProps {
  readonly effective: Pick<Effective, 'ceilings' | 'binding'>;
  /** False: what is reached is far below them all. */
  readonly isBinding?: boolean;
  readonly reached: { readonly label: string; readonly eventsPerSecond: number | null };
  /** What the details speak about. */
  readonly signals: readonly Signal[];
}

/** The rate reached against every ceiling on one scale, the lowest first; what each is there for is told on demand. */
export function CeilingBars({
  effective,
  reached: { label, eventsPerSecond: reached },
  isBinding,
  signals,
}: CeilingBarsProps) {
  const past = usePast() !== null;
  const bars = ceilingBars(effective, reached, isBinding).map((bar) => ({
    ...bar,
    detail: plainWords(bar.detail, signals),
  }));
  const limiting = bars.flatMap((bar) => (bar.length === null ? [] : [{ ...bar, length: bar.length }]));
  const idle = bars.filter((bar) => bar.length === null);
  const reachedLength = Math.min(1, (reached ?? 0) / ceilingScale(effective, reached));
  return (
    <>
      <dl className={styles.bars}>
        <div className={styles.row} data-reached>
          <dt>{label}</dt>
          <dd className={styles.value}>{formatRate(reached)}</dd>
          <dd className={styles.track} aria-hidden>
            <span className={styles.reached} style={{ width: `${reachedLength * 100}%` }} />
          </dd>
        </div>
        {limiting.map((bar) => (
          <div key={bar.reason} className={styles.row} data-binding={bar.binding || undefined}>
            <dt>
              {ceilingWords[bar.reason]}
              {bar.binding ? <span className={styles.mark}>binding</span> : null}
            </dt>
            <dd className={styles.value}>{formatRate(bar.eventsPerSecond)}</dd>
            <dd className={styles.track} aria-hidden>
              <span
                className={styles.bar}
                data-beyond={bar.beyond || undefined}
                style={{ width: `${bar.length * 100}%` }}
              />
            </dd>
            <dd className={styles.detail}>{bar.detail}</dd>
          </div>
        ))}
      </dl>
      {idle.length === 0 ? null : (
        <div className={styles.idle}>
          <p>{past ? 'Did not limit then:' : 'Does not limit now:'}</p>
          <ul>
            {idle.map(({ reason, detail }) => (
              <li key={reason}>
                {ceilingWords[reason]}
                {detail === '' ? '' : `: ${detail}`}
              </li>
            ))}
          </ul>
        </div>
      )}
      <details className={styles.meanings}>
        <summary>What the ceilings are for</summary>
        <dl>
          {bars.map(({ reason }) => (
            <div key={reason}>
              <dt className={styles.term}>{ceilingWords[reason]}</dt>
              <dd className={styles.meaning}>{ceilingMeanings[reason]}</dd>
            </div>
          ))}
        </dl>
      </details>
    </>
  );
}
