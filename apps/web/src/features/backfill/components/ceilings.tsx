import type { Backfill } from '@spillway/shared/api/backfill';
import { formatRate } from '../../../lib/format.ts';
import { bindingSentence, ceilingBars, ceilingWords } from '../model/ceilings.ts';
import styles from './ceilings.module.css';

/** The rate against every ceiling on one scale; the one that binds is named in words first. */
export function Ceilings({ backfill }: { readonly backfill: Backfill }) {
  const { effective, progress } = backfill;
  const bars = ceilingBars(effective, progress.publishedEventsPerSecond);
  const longest = Math.max(
    1,
    progress.publishedEventsPerSecond ?? 0,
    ...bars.map(({ eventsPerSecond }) => eventsPerSecond ?? 0),
  );
  return (
    <>
      <p className={styles.sentence}>{bindingSentence(effective)}</p>
      <dl className={styles.bars}>
        <div className={styles.row} data-reached>
          <dt>Published now</dt>
          <dd className={styles.value}>{formatRate(progress.publishedEventsPerSecond)}</dd>
          <dd className={styles.track} aria-hidden>
            <span
              className={styles.reached}
              style={{ width: `${((progress.publishedEventsPerSecond ?? 0) / longest) * 100}%` }}
            />
          </dd>
        </div>
        {bars.map((bar) => (
          <div key={bar.reason} className={styles.row} data-binding={bar.binding || undefined}>
            <dt>
              {ceilingWords[bar.reason]}
              {bar.binding ? <span className={styles.mark}>binding</span> : null}
            </dt>
            <dd className={styles.value}>
              {bar.length === null ? 'does not limit' : formatRate(bar.eventsPerSecond)}
            </dd>
            <dd className={styles.track} aria-hidden>
              {bar.length === null ? null : (
                <span className={styles.bar} style={{ width: `${bar.length * 100}%` }} />
              )}
            </dd>
            <dd className={styles.detail}>{bar.detail}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
