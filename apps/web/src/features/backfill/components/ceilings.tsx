import type { Backfill } from '@spillway/shared/api/backfill';
import { formatRate } from '../../../lib/format.ts';
import { bindingSentence, ceilingBars, ceilingWords, replayRate } from '../model/ceilings.ts';
import styles from './ceilings.module.css';

/** The rate against every ceiling on one scale; the one that binds is named in words first. */
export function Ceilings({ backfill }: { readonly backfill: Backfill }) {
  const reached = replayRate(backfill);
  const bars = ceilingBars(backfill.effective, reached);
  const limiting = bars.flatMap((bar) => (bar.length === null ? [] : [{ ...bar, length: bar.length }]));
  const idle = bars.filter((bar) => bar.length === null);
  const longest = Math.max(1, reached ?? 0, ...limiting.map(({ eventsPerSecond }) => eventsPerSecond ?? 0));
  return (
    <>
      <p className={styles.sentence}>{bindingSentence(backfill.effective)}</p>
      <dl className={styles.bars}>
        <div className={styles.row} data-reached>
          <dt>{backfill.progress.publishedEventsPerSecond === null ? 'Applied now' : 'Published now'}</dt>
          <dd className={styles.value}>{formatRate(reached)}</dd>
          <dd className={styles.track} aria-hidden>
            <span className={styles.reached} style={{ width: `${((reached ?? 0) / longest) * 100}%` }} />
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
              <span className={styles.bar} style={{ width: `${bar.length * 100}%` }} />
            </dd>
            <dd className={styles.detail}>{bar.detail}</dd>
          </div>
        ))}
      </dl>
      {idle.length === 0 ? null : (
        <div className={styles.idle}>
          <p>Does not limit now:</p>
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
    </>
  );
}
