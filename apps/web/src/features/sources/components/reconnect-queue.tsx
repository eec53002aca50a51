import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { Failed } from '../../../components/failed.tsx';
import { Inset } from '../../../components/panel.tsx';
import { formatMs } from '../../../lib/format.ts';
import { currentBackfillsQuery } from '../../backfill/api/list-backfills.ts';
import { BackfillTable } from '../../backfill/components/backfill-table.tsx';
import { useStale } from '../../telemetry/components/live-context.ts';
import styles from './reconnect-queue.module.css';

/** Backfills of gaps that are not finished: waiting out their stagger, waiting for a slot, or running. */
export function ReconnectQueue({ pipeline }: { readonly pipeline: Pipeline }) {
  const current = useQuery(currentBackfillsQuery(pipeline.id));
  const stale = useStale();
  const queue = (current.data?.items ?? []).filter(({ origin }) => origin === 'reconnect');
  return (
    <section className={styles.queue} aria-label="Reconnect queue">
      <h3 className={styles.title}>Reconnect queue</h3>
      <p className={styles.soft}>
        At most {pipeline.maxSourcesReplaying} {pipeline.maxSourcesReplaying === 1 ? 'source' : 'sources'}{' '}
        replaying at once; each reconnect waits a random part of {formatMs(pipeline.reconnectStaggerMs)}.
        {current.data !== undefined && queue.length === 0 ? ' Nothing is queued.' : ''}
      </p>
      {current.isLoadingError ? (
        <Inset>
          <Failed what="The reconnect queue" error={current.error} onRetry={() => void current.refetch()} />
        </Inset>
      ) : null}
      {queue.length === 0 ? null : (
        <BackfillTable backfills={queue} caption="Reconnect queue" list={pipeline.id} stale={stale} />
      )}
    </section>
  );
}
