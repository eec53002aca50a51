import type { Backfill, BucketMismatch, Verification } from '@spillway/shared/api/backfill';
import { useState } from 'react';
import { Meter } from '../../../components/meter.tsx';
import { ShowMore } from '../../../components/show-more.tsx';
import { formatCount, groupDigits } from '../../../lib/format.ts';
import { formatInstant, plainTimes } from '../../../lib/instant.ts';
import { proofLooks } from '../model/proof-look.ts';
import { bucketsText, differenceText, MISMATCHES_SHOWN } from '../model/proof-words.ts';
import styles from './figures.module.css';

/** Bucket by bucket, the source read again against the store: count, exact sum, hash. */
export function Proof({ backfill: { verification } }: { readonly backfill: Backfill }) {
  const look = proofLooks[verification.state];
  const { bucketsChecked, bucketsMatched } = verification;
  const difference = differenceText(verification);
  return (
    <div className={styles.stack}>
      <p className={styles.verdict} data-tone={look.tone}>
        <look.icon aria-hidden size={20} />
        {look.words}
      </p>
      {difference === null ? null : <p>{difference}</p>}
      {verification.detail === null ? null : <p>{plainTimes(groupDigits(verification.detail))}</p>}
      {verification.state === 'pending' ? (
        <p className={styles.soft}>
          After the last subwindow is applied, every bucket of the window is compared by count, exact sum and
          hash.
        </p>
      ) : verification.state === 'unavailable' && bucketsChecked === 0 ? null : (
        <>
          <p>
            {formatCount(bucketsMatched)} of {formatCount(bucketsChecked)} buckets checked match ·{' '}
            {formatCount(verification.eventsChecked)} events checked
          </p>
          {bucketsChecked > 0 ? (
            <Meter
              percent={(bucketsMatched / bucketsChecked) * 100}
              label="Buckets that match"
              tone={bucketsMatched === bucketsChecked ? 'good' : 'bad'}
            />
          ) : null}
        </>
      )}
      {verification.mismatches.length === 0 ? null : <Mismatches verification={verification} />}
    </div>
  );
}

function Mismatches({ verification }: { readonly verification: Verification }) {
  const [all, setAll] = useState(false);
  const { mismatches } = verification;
  const shown = all ? mismatches : mismatches.slice(0, MISMATCHES_SHOWN);
  return (
    <>
      <MismatchTable mismatches={shown} which={bucketsText(shown.length, verification)} />
      <ShowMore more={mismatches.length - MISMATCHES_SHOWN} all={all} onAll={setAll} />
    </>
  );
}

function MismatchTable({
  mismatches,
  which,
}: {
  readonly mismatches: readonly BucketMismatch[];
  readonly which: string;
}) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
    <section className={styles.wide} aria-label="Buckets that differ" tabIndex={0}>
      <table className={styles.table}>
        <caption className={styles.soft}>Count, sum and hash of {which}</caption>
        <thead>
          <tr>
            <th scope="col">Bucket</th>
            <th scope="col">Source</th>
            <th scope="col">Stored events</th>
            <th scope="col">Bucket row</th>
          </tr>
        </thead>
        <tbody>
          {mismatches.map((mismatch) => (
            <tr key={`${mismatch.sourceId} ${mismatch.key} ${mismatch.start}`}>
              <th scope="row">
                <span className={styles.key} title={`${mismatch.sourceId} · ${mismatch.key}`}>
                  {mismatch.sourceId} · {mismatch.key}
                </span>
                {formatInstant(mismatch.start)}
              </th>
              <td>{side(mismatch.source)}</td>
              <td>{side(mismatch.stored)}</td>
              <td>{side(mismatch.bucket)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function side(values: BucketMismatch['source']) {
  if (values === null) return 'nothing';
  return (
    <>
      {formatCount(values.count)} · Σ {groupDigits(values.sum)}
      <br />
      <code>{values.hash}</code>
    </>
  );
}
