import { VisuallyHidden } from '@mantine/core';
import { IconActivity, IconUrgent } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { useLiveRisk } from '../features/now/components/use-live-risk.ts';
import { useNowSearch } from '../features/now/components/use-now-search.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { useTitleMark } from '../lib/use-title.ts';
import styles from './now-link.module.css';
import shell from './shell.module.css';

/** The way to Now. While live is at risk it says so on every screen and in the name of the tab, and leads to the pipeline that is. */
export function NowLink() {
  const stale = useStale();
  const atRisk = useLiveRisk() !== null;
  const search = useNowSearch();
  useTitleMark(atRisk ? 'At risk' : '');
  const Icon = atRisk ? IconUrgent : IconActivity;
  return (
    <>
      <Link
        to="/"
        search={search}
        className={`${shell.link} ${styles.now}`}
        activeProps={{ 'data-active': true }}
        activeOptions={{ exact: true, includeSearch: false, includeHash: false }}
        data-risk={atRisk || undefined}
        data-stale={stale || undefined}
      >
        <Icon aria-hidden size={18} />
        <span className={styles.word}>Now</span>
        {atRisk ? (
          <span className={styles.risk}>
            <IconUrgent aria-hidden size={12} /> At risk
          </span>
        ) : null}
      </Link>
      <VisuallyHidden role="status">
        {atRisk ? (stale ? 'The live path was at risk when last heard of' : 'The live path is at risk') : ''}
      </VisuallyHidden>
    </>
  );
}

/** The name of the house leads there, too. */
export function Brand() {
  return (
    <Link to="/" search={useNowSearch()} className={shell.brand} aria-label="Spillway, go to Now">
      <img src="/spillway.svg" alt="" width={28} height={28} />
      <span className={shell.name}>Spillway</span>
    </Link>
  );
}
