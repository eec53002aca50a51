import { Skeleton } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Failed } from '../../../components/failed.tsx';
import { PageFooter } from '../../../components/page-footer.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { type Column, RowTable } from '../../../components/row-table.tsx';
import { type QuarantinedRow, quarantineQuery } from '../api/list-quarantine.ts';
import { firstRows, mayGrow, moreRows, shownWords } from '../model/quarantine.ts';
import styles from './quarantine.module.css';

const LOOK_AGAIN_MS = 5_000;

const columns: readonly Column<QuarantinedRow>[] = [
  { title: 'Source', head: true, cell: ({ sourceId }) => sourceId },
  { title: 'Address', cell: ({ address }) => <code className={styles.code}>{address}</code> },
  { title: 'Reason', cell: ({ code }) => <code className={styles.code}>{code}</code> },
  { title: 'Detail', cell: ({ detail }) => <span className={styles.detail}>{detail}</span> },
];

/** Events of the backfill that were left out, each with the address of its row and why. */
export function Quarantine({ backfill }: { readonly backfill: Backfill }) {
  const [limit, setLimit] = useState(firstRows);
  const { eventsQuarantined: quarantined } = backfill.progress;
  const standing = (shown: number) => ({ shown, limit, quarantined });
  const rows = useQuery({
    ...quarantineQuery(backfill.id, limit),
    refetchInterval: ({ state }) =>
      backfill.endedAt === null && mayGrow(standing(state.data?.items.length ?? 0)) ? LOOK_AGAIN_MS : false,
  });
  return (
    <Panel
      id="quarantine"
      title="Quarantine"
      hint="Rows that could not be used; everything else goes on without them"
      flush
    >
      {rows.isPending ? (
        <Inset>
          <Skeleton height={60} />
        </Inset>
      ) : rows.isLoadingError ? (
        <Inset>
          <Failed what="The quarantine" error={rows.error} onRetry={() => void rows.refetch()} />
        </Inset>
      ) : rows.data.items.length === 0 ? (
        <Inset>
          <p>The rows are counted and not listed yet; they come within seconds.</p>
        </Inset>
      ) : (
        <>
          <RowTable caption="Quarantine" columns={columns} rows={rows.data.items} idOf={idOf} />
          <Footer {...standing(rows.data.items.length)} onLimit={setLimit} />
        </>
      )}
    </Panel>
  );
}

function Footer({
  onLimit,
  ...standing
}: Parameters<typeof moreRows>[0] & { readonly onLimit: (limit: number) => void }) {
  const more = moreRows(standing);
  return (
    <PageFooter
      count={shownWords(standing)}
      first={null}
      next={more === null ? null : { word: `Show up to ${more}`, onGo: () => onLimit(more) }}
    />
  );
}

/** The store keeps one row for each way in which an event was refused. */
function idOf({ sourceId, address, code, detail }: QuarantinedRow): string {
  return [sourceId, address, code, detail].join(' ');
}
