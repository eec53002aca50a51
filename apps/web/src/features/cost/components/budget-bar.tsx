import type { BackfillCost } from '@spillway/shared/api/cost';
import { atomsOf } from '@spillway/shared/cost/money';
import { IconAlertTriangle, IconCircleCheck, IconPlayerPause } from '@tabler/icons-react';
import { Badge, type Tone } from '../../../components/badge.tsx';
import { formatRatio } from '../../../lib/format.ts';
import { formatMoney, moneyRatio } from '../../../lib/money.ts';
import styles from './cost.module.css';

type Budget = NonNullable<BackfillCost['budget']>;

const looks: Readonly<Record<Budget['state'], readonly [Tone, typeof IconCircleCheck, string]>> = {
  within: ['good', IconCircleCheck, 'Within budget'],
  warned: ['warn', IconAlertTriangle, 'Above 80 %'],
  spent: ['bad', IconPlayerPause, 'Spent: replay is paused'],
};

/** Spent against the limit, with the marks where it warns and where it pauses; dashed: what it will be at completion. */
export function BudgetBar({
  budget,
  forecast,
}: {
  readonly budget: Budget;
  readonly forecast: BackfillCost['forecast'];
}) {
  const [tone, icon, words] = looks[budget.state];
  const end = forecast === null ? null : moneyRatio(forecast.likely, budget.limit);
  // Where it goes beyond the limit, the limit is no longer the end of the bar.
  const full = Math.max(1, budget.part, Math.min(2, end ?? 0)) * 1.04;
  const place = (part: number) => `${Math.min(100, (part / full) * 100)}%`;
  return (
    <div className={styles.budget}>
      <div className={styles.budgetLine}>
        <strong>
          {formatMoney(budget.spent)} of {formatMoney(budget.limit)} ({formatRatio(budget.part)})
        </strong>
        <Badge tone={tone} icon={icon} state={budget.state}>
          {words}
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
        <span style={{ left: place(0.8) }}>80 %</span>
        <span style={{ left: place(1) }}>100 %</span>
      </div>
      <p className={styles.soft}>
        Warns at 80 %, pauses at {formatMoney(budget.pauseAt)}: what is under way still costs
        {atomsOf(budget.keptForProof) > 0n
          ? `, and ${formatMoney(budget.keptForProof)} is kept for the proof`
          : ''}
        . It never cancels.
        {end === null ? ' At completion: unknown.' : ` At completion: ${formatRatio(end)} of it.`}
      </p>
    </div>
  );
}
