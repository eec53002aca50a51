import type { Backfill } from '@spillway/shared/api/backfill';
import type { BackfillCost } from '@spillway/shared/api/cost';
import { IconAlertTriangle, IconCircleCheck, IconCoinOff, IconPlayerPause } from '@tabler/icons-react';
import { Badge, type Tone } from '../../../components/badge.tsx';
import { formatRatio } from '../../../lib/format.ts';
import { decimalsOf, formatMoney, formatMoneyNumber, moneyRatio } from '../../../lib/money.ts';
import { budgetOutlook, budgetPause, budgetState, isLikelyTooLittle } from '../model/budget-words.ts';
import styles from './cost.module.css';

type Budget = NonNullable<BackfillCost['budget']>;

const looks: Readonly<Record<Budget['state'], readonly [Tone, typeof IconCircleCheck]>> = {
  within: ['good', IconCircleCheck],
  warned: ['warn', IconAlertTriangle],
  spent: ['bad', IconCoinOff],
};

const BOTH_MARKS_MAX = 2.1;

/** Spent against the limit, with the marks where it warns and where it pauses; dashed: what it will be at completion. */
export function BudgetBar({
  budget,
  forecast,
  backfill,
}: {
  readonly budget: Budget;
  readonly forecast: BackfillCost['forecast'];
  readonly backfill: Pick<Backfill, 'state' | 'holds' | 'endedAt'>;
}) {
  const end =
    forecast === null || backfill.endedAt !== null ? null : moneyRatio(forecast.likely, budget.limit);
  const [tone, look] = looks[isLikelyTooLittle(budget, end) ? 'warned' : budget.state];
  const icon = budgetPause(budget, backfill) === null ? look : IconPlayerPause;
  const outlook = budgetOutlook(budget, backfill, end);
  // Where it goes beyond the limit, the limit is no longer the end of the bar.
  const full = Math.max(1, budget.part, Math.min(2, end ?? 0)) * 1.04;
  const place = (part: number) => `${Math.min(100, (part / full) * 100)}%`;
  return (
    <div className={styles.budget}>
      <div className={styles.budgetLine}>
        <strong>
          {formatMoneyNumber(budget.spent, decimalsOf(budget.limit))} of {formatMoney(budget.limit)} (
          {formatRatio(budget.part)})
        </strong>
        <Badge tone={tone} icon={icon} state={budget.state}>
          {budgetState(budget, backfill, end)}
        </Badge>
      </div>
      <div
        className={styles.budgetTrack}
        role="progressbar"
        aria-label="Spent of the budget"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.min(100, Math.round(budget.part * 100))}
        aria-valuetext={`${formatRatio(budget.part)} of the budget`}
      >
        <div className={styles.budgetFill} data-state={budget.state} style={{ width: place(budget.part) }} />
        {end !== null && end > budget.part ? (
          <i
            className={styles.forecast}
            style={{
              left: place(budget.part),
              width: `calc(${place(Math.min(end, full))} - ${place(budget.part)})`,
            }}
          />
        ) : null}
        <i className={styles.mark} style={{ left: place(0.8) }} />
        <i className={styles.mark} style={{ left: place(1) }} />
      </div>
      <div className={styles.marks} aria-hidden>
        {/* Far beyond the limit its two marks stand so close that one has to speak for both. */}
        {full > BOTH_MARKS_MAX ? null : <span style={{ left: place(0.8) }}>80 %</span>}
        <span style={{ left: place(1) }}>100 %</span>
      </div>
      {outlook === null ? null : <p className={styles.soft}>{outlook}</p>}
    </div>
  );
}
