import type { AuditEntry } from '@spillway/shared/api/audit';
import { IconChevronRight } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { formatCount } from '../../../lib/format.ts';
import { formatMoment, plainTimes } from '../../../lib/instant.ts';
import { verbOf } from '../model/action-words.ts';
import { type AuditSearch, narrowed } from '../model/audit-search.ts';
import { changesOf, nameOf, summaryOf } from '../model/changes.ts';
import { placeOf } from '../model/target-link.ts';
import styles from './audit.module.css';

/** Newest first; an entry opens to what changed, field by field. */
export function AuditEntries({
  entries,
  search,
  stale,
}: {
  readonly entries: readonly AuditEntry[];
  readonly search: AuditSearch;
  readonly stale: boolean;
}) {
  return (
    <ol className={styles.entries} data-stale={stale || undefined}>
      {entries.map((entry) => (
        <li key={entry.sequence} data-row={entry.sequence}>
          <details className={styles.entry}>
            <summary className={styles.summary}>
              <IconChevronRight aria-hidden size={16} className={styles.chevron} />
              <time dateTime={entry.at}>{formatMoment(entry.at)}</time>
              <span className={styles.did}>
                <strong>{entry.actor}</strong> {verbOf(entry.action)} <Target entry={entry} />
              </span>
              <span className={styles.gist}>{gistOf(entry)}</span>
            </summary>
            <Details entry={entry} search={search} />
          </details>
        </li>
      ))}
    </ol>
  );
}

/** Of somebody who signed in, the target is they themselves. */
function Target({ entry: { action, target, actor } }: { readonly entry: AuditEntry }) {
  return action.startsWith('session.') || target === actor ? null : (
    <code className={styles.target}>{target}</code>
  );
}

function gistOf({ before, after, reason }: AuditEntry): string {
  return [nameOf(before, after), summaryOf(before, after), reason === null ? null : `“${plainTimes(reason)}”`]
    .filter((part) => part !== null)
    .join(' · ');
}

function Details({ entry, search }: { readonly entry: AuditEntry; readonly search: AuditSearch }) {
  const { sequence, at, actor, address, action, target, reason, before, after, hash } = entry;
  return (
    <div className={styles.details}>
      <Changes before={before} after={after} />
      <dl className={styles.facts}>
        <Fact title="When">{formatMoment(at)} UTC</Fact>
        <Fact title="Who">
          {actor}{' '}
          <Link to="/audit" search={narrowed(search, { actor })} className={styles.only}>
            only theirs
          </Link>
        </Fact>
        <Fact title="From">{address ?? 'inside Spillway'}</Fact>
        <Fact title="Action">
          <code>{action}</code>
        </Fact>
        <Fact title="On">
          <TargetLink action={action} target={target} />{' '}
          <Link to="/audit" search={narrowed(search, { target })} className={styles.only}>
            only this
          </Link>
        </Fact>
        {reason === null ? null : <Fact title="Reason">{plainTimes(reason)}</Fact>}
        <Fact title="Entry">
          no. {formatCount(sequence)}, hash{' '}
          <code className={styles.hash} title={hash}>
            {hash.slice(0, 12)}…
          </code>
        </Fact>
      </dl>
    </div>
  );
}

function Changes({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  const changes = changesOf(before, after);
  if (changes.length === 0)
    return <p className={styles.nothing}>Nothing but that it happened is recorded.</p>;
  const made = before === null;
  const gone = after === null;
  return (
    <table className={styles.changes}>
      <caption>{made ? 'As it was made' : gone ? 'As it was' : 'What changed'}</caption>
      <thead>
        <tr>
          <th scope="col">Field</th>
          {made ? null : <th scope="col">Before</th>}
          {gone ? null : <th scope="col">After</th>}
        </tr>
      </thead>
      <tbody>
        {changes.map(({ path, label, before: was, after: is }) => (
          <tr key={path}>
            <th scope="row">{label}</th>
            {made ? null : <td data-side="before">{was ?? 'none'}</td>}
            {gone ? null : <td data-side="after">{is ?? 'none'}</td>}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function TargetLink({ action, target }: { readonly action: string; readonly target: string }) {
  const place = placeOf(action, target);
  if (place === null) return <code>{target}</code>;
  if (place.screen === 'backfill')
    return (
      <Link to="/backfills/$backfillId" params={{ backfillId: place.id }}>
        {target}
      </Link>
    );
  if (place.screen === 'settings') return <Link to="/settings">{target}</Link>;
  return (
    <Link to="/pipeline" search={place.id === null ? {} : { pipeline: place.id }}>
      {target}
    </Link>
  );
}

function Fact({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{title}</dt>
      <dd>{children}</dd>
    </div>
  );
}
