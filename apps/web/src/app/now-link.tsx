import { VisuallyHidden } from '@mantine/core';
import { IconActivity, IconUrgent } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useLiveRisk } from '../features/now/components/use-live-risk.ts';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { useTitleMark } from '../lib/use-title.ts';
import styles from './now-link.module.css';
import shell from './shell.module.css';

/** The way to Now. While live is at risk it says so on every screen and in the name of the tab, and leads to the pipeline that is. */
export function NowLink() {
  const risk = useLiveRisk();
  const stale = useStale();
  const { data: pipelines = [] } = useQuery(pipelinesQuery);
  const atRisk = risk !== null;
  useTitleMark(atRisk ? 'At risk' : '');
  // Whichever the screen is about.
  const named = atRisk && pipelines.length > 1;
  const Icon = atRisk ? IconUrgent : IconActivity;
  return (
    <>
      <Link
        to="/"
        {...(named ? { search: { pipeline: risk } } : {})}
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
