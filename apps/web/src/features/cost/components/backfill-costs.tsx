import type { MeteredCost, PipelineCost } from '@spillway/shared/api/cost';
import { Link } from '@tanstack/react-router';
import { RestLine } from '../../../components/rest-line.tsx';
import { CellNote, type Column, Dash, RowTable } from '../../../components/row-table.tsx';
import { formatCount, unknown } from '../../../lib/format.ts';
import { formatMoney, formatMoneyBounds } from '../../../lib/money.ts';
import { StateBadge } from '../../backfill/components/state-badge.tsx';
import { decimalsOfRows, listedCosts, type RowDecimals } from '../model/listed.ts';
import { spendOf, usedOfEstimate } from '../model/spend.ts';
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
  const { rows, leftOut } = listedCosts(backfills);
  return (
    <>
      <RowTable
        caption="Cost by backfill"
        columns={columnsOf(decimalsOfRows(rows))}
        rows={rows}
        idOf={({ id }) => id}
        stale={stale}
      />
      {leftOut === 0 ? null : (
        <RestLine>
          {formatCount(leftOut)} more {leftOut === 1 ? 'has' : 'have'} not been metered.{' '}
          <Link to="/backfills">See all backfills</Link>
        </RestLine>
      )}
    </>
  );
}

const columnsOf = ({ estimated, metered: used, perHour }: RowDecimals): readonly Column<Row>[] => [
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
    cell: ({ metered, state }) => (
      <span>
        <span className={styles.amount}>{formatMoney(metered?.spend, used)}</span>
        <CellNote>
          <span className={styles.amount}>
            {metered !== null ? spendOf(metered) : final.has(state) ? 'never metered' : 'not metered yet'}
          </span>
        </CellNote>
      </span>
    ),
  },
  {
    title: 'Estimate, likely',
    end: true,
    cell: ({ estimate, metered, state }) =>
      estimate === null ? (
        <span>without an estimate</span>
      ) : (
        <span>
          <span className={styles.amount}>{formatMoney(estimate.likely, estimated)}</span>
          <CellNote>{formatMoneyBounds(estimate, estimated) ?? 'exactly'}</CellNote>
          {metered === null ? null : (
            <CellNote>{usedOfEstimate(metered, estimate, final.has(state), estimated)}</CellNote>
          )}
        </span>
      ),
  },
  {
    title: 'Provisioned',
    end: true,
    cell: ({ metered }) => <OfMeter metered={metered} part="provisioned" decimals={used} />,
  },
  {
    title: 'Overage',
    end: true,
    cell: ({ metered }) => <OfMeter metered={metered} part="overage" decimals={used} />,
  },
  {
    title: 'Per hour now',
    end: true,
    cell: ({ metered, spendPerHour, state }) =>
      metered === null && spendPerHour === null ? (
        <Dash />
      ) : (
        <span className={styles.amount}>
          {final.has(state) && spendPerHour === null ? 'ended' : formatMoney(spendPerHour, perHour)}
        </span>
      ),
  },
  {
    title: 'Rows',
    end: true,
    cell: ({ metered }) => (metered === null ? <Dash /> : <Rows {...metered.writeAmplification} />),
  },
];

/** That a backfill is not metered yet is said once, at what it has spent. */
function OfMeter({
  metered,
  part,
  decimals,
}: {
  readonly metered: Row['metered'];
  readonly part: 'provisioned' | 'overage';
  readonly decimals: number;
}) {
  return metered === null ? (
    <Dash />
  ) : (
    <span className={styles.amount}>{formatMoney(metered[part], decimals)}</span>
  );
}

function Rows({ rowsAttempted, rowsInserted, rowsNoop }: MeteredCost['writeAmplification']) {
  if (rowsAttempted === null && rowsInserted === null && rowsNoop === null) return <span>{unknown}</span>;
  return (
    <span>
      <span className={styles.amount}>{formatCount(rowsInserted)} inserted</span>
      <CellNote>
        <span className={styles.amount}>{formatCount(rowsAttempted)} attempted</span>
      </CellNote>
      <CellNote>{formatCount(rowsNoop)} no-op</CellNote>
    </span>
  );
}

const final: ReadonlySet<Row['state']> = new Set(['completed', 'cancelled', 'failed']);
