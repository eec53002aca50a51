import type { Backfill } from '@spillway/shared/api/backfill';
import type { BackfillCost } from '@spillway/shared/api/cost';
import { Panel } from '../../../components/panel.tsx';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import { formatRatio, unknown } from '../../../lib/format.ts';
import { formatInstant } from '../../../lib/instant.ts';
import { decimalsOfAll, formatMoney, formatMoneyBounds, formatMoneyCell } from '../../../lib/money.ts';
import { comparedRows } from '../model/compared.ts';
import { itemWords } from '../model/item-words.ts';
import { spendOf } from '../model/spend.ts';
import { BudgetBar } from './budget-bar.tsx';
import { BudgetForm } from './budget-form.tsx';
import styles from './cost.module.css';
import { Figure } from './figure.tsx';
import { WriteAmplification } from './write-amplification.tsx';

/** What it has cost, what it will have cost at its end, and what was said before it began. */
export function BackfillCostPanel({
  backfill,
  currency,
  stale,
}: {
  readonly backfill: Backfill;
  /** Of the price book; null: there is none. */
  readonly currency: string | null;
  readonly stale: boolean;
}) {
  const { cost } = backfill;
  if (cost === null)
    return (
      <Panel title="Cost">
        <p className={styles.soft}>
          Unknown: this pipeline has no price book. An admin writes one on the Cost screen.
        </p>
      </Panel>
    );
  const over = backfill.endedAt !== null;
  const { metered, estimate, forecast, budget } = cost;
  return (
    <Panel
      title="Cost"
      hint={over ? 'What it cost, against what was quoted' : 'Metered from what the workers report'}
      stale={stale}
    >
      <div className={styles.stack}>
        <dl className={styles.headline}>
          <Figure title={over ? 'Spent' : 'Spent until now'} value={formatMoney(metered?.spend)}>
            {metered === null ? 'not metered yet' : spendNote(metered)}
          </Figure>
          {over ? null : (
            <>
              <Figure title="At completion, likely" value={formatMoney(forecast?.likely)}>
                {forecast === null
                  ? 'its end is unknown'
                  : `${rangeNote(forecast)}${cost.forecastBasis === 'estimated' ? ', of events that are estimated' : ''}`}
              </Figure>
              <Figure title="Spend per hour" value={formatMoney(metered?.spendPerHour)}>
                over the last minute
              </Figure>
            </>
          )}
          <Figure
            title={cost.estimateMade?.late ? 'Estimated under way' : 'Estimated at the start'}
            value={estimate === null ? unknown : formatMoney(estimate.likely)}
            {...(estimate === null ? { quiet: true } : {})}
          >
            {estimate === null ? (cost.estimateMissing ?? '') : estimateNote(cost, estimate)}
          </Figure>
        </dl>
        {budget === null ? null : <BudgetBar budget={budget} forecast={forecast} backfill={backfill} />}
        {backfill.allowedActions.includes('throttle') && currency !== null ? (
          <BudgetForm backfill={backfill} currency={currency} />
        ) : null}
        <Comparison cost={cost} over={over} />
        {metered === null ? null : <WriteAmplification metered={metered} />}
      </div>
    </Panel>
  );
}

/** Where spend counts overage only, what all of it would cost stands beside it: that is what the quote is of. */
function spendNote(metered: NonNullable<BackfillCost['metered']>): string {
  const of = spendOf(metered);
  return of === 'everything used' ? of : `${of}; everything used ${formatMoney(metered.total)}`;
}

const rangeNote = (range: NonNullable<BackfillCost['forecast']>) => formatMoneyBounds(range) ?? 'exactly';

const estimateNote = ({ estimateMade }: BackfillCost, estimate: NonNullable<BackfillCost['estimate']>) =>
  `${rangeNote(estimate)}, for everything used${estimateMade?.late ? `; made ${formatInstant(estimateMade.at)} UTC` : ''}`;

/** Estimate against actual, item by item; while it runs the actual is what there is until now. */
function Comparison({ cost, over }: { readonly cost: BackfillCost; readonly over: boolean }) {
  const { shown, free } = comparedRows(cost.comparison);
  if (shown.length === 0) return null;
  const decimals = decimalsOfAll(shown.flatMap(({ estimate, actual }) => [estimate, actual]));
  const currency = cost.metered?.total.currency ?? cost.estimate?.likely.currency ?? '';
  return (
    <div className={styles.stack} style={{ gap: 6 }}>
      <h3 className={styles.subtitle}>Estimate against actual, by item</h3>
      <div>
        <table className={styles.table}>
          <SpokenCaption>Estimate against actual, by item</SpokenCaption>
          <thead>
            <tr>
              <th scope="col">{currency}</th>
              <th scope="col">Estimate</th>
              <th scope="col">{over ? 'Actual' : 'Until now'}</th>
              <th scope="col" data-least>
                Used
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ item, estimate, actual, ratio, apportioned }) => (
              <tr key={item} data-item={item}>
                <th scope="row">
                  {itemWords[item]}
                  {apportioned ? <span className={styles.note}>apportioned</span> : null}
                </th>
                <td className={estimate === null ? styles.unknown : undefined}>
                  {formatMoneyCell(estimate, decimals)}
                </td>
                <td className={actual === null ? styles.unknown : undefined}>
                  {formatMoneyCell(actual, decimals)}
                </td>
                <td className={ratio === null ? styles.unknown : undefined} data-least>
                  {ratio === null ? unknown : formatRatio(ratio)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {free.length === 0 ? null : (
        <p className={styles.soft}>Costs nothing here: {free.map((item) => itemWords[item]).join(', ')}.</p>
      )}
    </div>
  );
}
