import type { PipelineCost } from '@spillway/shared/api/cost';
import { Link } from '@tanstack/react-router';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { formatCount, formatRatio } from '../../../lib/format.ts';
import { decimalsOf, formatMoney, formatMoneyNumber, moneyRatio } from '../../../lib/money.ts';
import { StateBadge } from '../../backfill/components/state-badge.tsx';
import styles from './cost.module.css';

type Row = PipelineCost['backfills'][number];

/** Each backfill's meter beside what was said before it began. */
export function BackfillCosts({
  backfills,
  stale,
}: {
  readonly backfills: readonly Row[];
  readonly stale: boolean;
}) {
  return (
    <RowTable
      caption="Cost by backfill"
      columns={columns}
      rows={backfills}
      idOf={({ id }) => id}
      stale={stale}
    />
  );
}

const columns: readonly Column<Row>[] = [
  {
    title: 'Backfill',
    head: true,
    cell: ({ id }) => (
      <Link to="/backfills/$backfillId" params={{ backfillId: id }}>
        {id}
      </Link>
    ),
  },
  { title: 'State', cell: ({ state }) => <StateBadge state={state} /> },
  {
    title: 'Spent',
    end: true,
    cell: ({ metered }) => (
      <span>
        <span className={styles.amount}>{formatMoney(metered?.spend)}</span>
        {metered === null ? <CellNote>not metered yet</CellNote> : null}
      </span>
    ),
  },
  {
    title: 'Quoted, likely',
    end: true,
    cell: ({ estimate, metered }) =>
      estimate === null ? (
        <span>without a quote</span>
      ) : (
        <span>
          <span className={styles.amount}>{formatMoney(estimate.likely)}</span>
          <CellNote>
            {formatMoneyNumber(estimate.low, decimalsOf(estimate.likely))} to{' '}
            {formatMoneyNumber(estimate.high, decimalsOf(estimate.likely))}
            {metered === null
              ? ''
              : `; ${formatRatio(moneyRatio(metered.total, estimate.likely))} of it used`}
          </CellNote>
        </span>
      ),
  },
  {
    title: 'Provisioned',
    end: true,
    cell: ({ metered }) => <span className={styles.amount}>{formatMoney(metered?.provisioned)}</span>,
  },
  {
    title: 'Overage',
    end: true,
    cell: ({ metered }) => <span className={styles.amount}>{formatMoney(metered?.overage)}</span>,
  },
  {
    title: 'Per hour now',
    end: true,
    cell: ({ spendPerHour, state }) => (
      <span className={styles.amount}>
        {final.has(state) && spendPerHour === null ? 'ended' : formatMoney(spendPerHour)}
      </span>
    ),
  },
  {
    title: 'Rows',
    end: true,
    cell: ({ metered }) => (
      <span>
        {formatCount(metered?.writeAmplification.rowsInserted)} inserted
        <CellNote>
          {formatCount(metered?.writeAmplification.rowsAttempted)} attempted,{' '}
          {formatCount(metered?.writeAmplification.rowsNoop)} no-op
        </CellNote>
      </span>
    ),
  },
];

const final: ReadonlySet<Row['state']> = new Set(['completed', 'cancelled', 'failed']);
