import type { Readiness } from '@spillway/shared/api/readiness';
import { comesFirst, openOf, summaryOf } from '../model/readiness-words.ts';
import { AnswerBadge } from './answer-badge.tsx';
import styles from './readiness.module.css';
import { Evidence } from './readiness-list.tsx';

/** The answer in a sentence, and what is open, each leading to its evidence. */
export function ReadinessSummary({
  readiness,
  stale,
}: {
  readonly readiness: Readiness;
  readonly stale: boolean;
}) {
  const open = openOf(readiness.items);
  const first = comesFirst(readiness.items);
  const { yes, no, unknown } = readiness.counts;
  return (
    <section
      className={styles.summary}
      aria-label="Summary"
      data-tone={no > 0 ? 'bad' : unknown > 0 ? 'warn' : 'good'}
      data-stale={stale || undefined}
    >
      <p className={styles.sentence}>{summaryOf(readiness)}</p>
      <div className={styles.share} aria-hidden>
        <i data-answer="yes" style={{ flexGrow: yes }} />
        <i data-answer="no" style={{ flexGrow: no }} />
        <i data-answer="unknown" style={{ flexGrow: unknown }} />
      </div>
      {first === null ? null : (
        <p className={styles.first}>
          <strong>Begin with the workers: other answers wait for them.</strong> <Evidence item={first} />
        </p>
      )}
      {open.length === 0 ? (
        <p className={styles.soft}>Nothing is open: every question is answered by what was measured.</p>
      ) : (
        <ul className={styles.open} aria-label="Open questions">
          {open.map(({ id, question, answer }) => (
            <li key={id}>
              <AnswerBadge answer={answer} />
              <a href={`#${id}`}>{question}</a>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
