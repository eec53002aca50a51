import { Button } from '@mantine/core';
import type { Backfill, BucketMismatch, Verification } from '@spillway/shared/api/backfill';
import {
  IconCircleCheck,
  IconClockHour4,
  IconHelpCircle,
  IconShieldSearch,
  IconUrgent,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Meter } from '../../../components/meter.tsx';
import { formatCount, groupDigits } from '../../../lib/format.ts';
import { formatInstant, plainTimes } from '../../../lib/instant.ts';
import { differenceText, MISMATCHES_SHOWN } from '../model/proof-words.ts';
import styles from './figures.module.css';

type ProofState = Verification['state'];

const looks: Readonly<
  Record<ProofState, { readonly words: string; readonly tone: string; readonly icon: typeof IconUrgent }>
> = {
  pending: { words: 'Not proven yet', tone: 'quiet', icon: IconClockHour4 },
  running: { words: 'Proving: the source is read a second time', tone: 'quiet', icon: IconShieldSearch },
  matched: { words: 'Matched: the store holds what the source holds', tone: 'good', icon: IconCircleCheck },
  mismatched: { words: 'Mismatched: the store differs from the source', tone: 'bad', icon: IconUrgent },
  unavailable: { words: 'Proof unavailable', tone: 'warn', icon: IconHelpCircle },
};

/** Bucket by bucket, the source read again against the store: count, exact sum, hash. */
export function Proof({ backfill: { verification } }: { readonly backfill: Backfill }) {
  const look = looks[verification.state];
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
      {verification.mismatches.length === 0 ? null : <Mismatches mismatches={verification.mismatches} />}
    </div>
  );
}

function Mismatches({ mismatches }: { readonly mismatches: readonly BucketMismatch[] }) {
  const [all, setAll] = useState(false);
  const shown = all ? mismatches : mismatches.slice(0, MISMATCHES_SHOWN);
  const more = mismatches.length - MISMATCHES_SHOWN;
  return (
    <>
      <MismatchTable mismatches={shown} />
      {more <= 0 ? null : (
        <Button variant="subtle" size="xs" aria-expanded={all} onClick={() => setAll((before) => !before)}>
          {all ? 'Show fewer' : `Show ${formatCount(more)} more`}
        </Button>
      )}
    </>
  );
}

function MismatchTable({ mismatches }: { readonly mismatches: readonly BucketMismatch[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it.
    <section className={styles.wide} aria-label="Buckets that differ" tabIndex={0}>
      <table className={styles.table}>
        <caption className={styles.soft}>
          The first {formatCount(mismatches.length)} buckets that differ: count, sum, hash
        </caption>
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
                {mismatch.sourceId} · {mismatch.key}
                <br />
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
