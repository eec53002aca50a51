import type { Quote } from '@spillway/shared/api/quote';
import { formatBytes, formatCount, formatEstimate, formatRate, unknown } from '../../../lib/format.ts';
import { decimalsOf, formatMoney, formatMoneyBounds, formatMoneyNumber } from '../../../lib/money.ts';
import { useNow } from '../../../lib/use-now.ts';
import { Figure } from '../../cost/components/figure.tsx';
import { sumOfItems } from '../../cost/model/item-parts.ts';
import { costMissing, finishText, neverEnds } from '../model/quote-words.ts';
import styles from './quote-panel.module.css';

/** When it ends, what it costs, and how high it peaks; ranges hold the outcome in 95 of 100 runs. */
export function QuoteFigures({ quote }: { readonly quote: Quote }) {
  const nowMs = useNow();
  const { cost, durationSeconds: duration, events, peak, safeRate } = quote;
  return (
    <dl className={styles.figures}>
      <Figure title="Cost, likely" value={formatMoney(cost?.likely)}>
        {cost === null ? costMissing(quote) : between(cost)}
      </Figure>
      <Figure
        title="Takes, likely"
        value={neverEnds(quote) ? 'never ends' : formatEstimate(duration?.likely)}
      >
        {duration === null ? '' : `${spread(duration)}; finished ${finishText(duration.likely, nowMs)}`}
      </Figure>
      <Figure title="Events" value={formatCount(events?.likely)}>
        {events === null
          ? ''
          : events.low === events.high
            ? 'counted'
            : `${formatCount(events.low)} to ${formatCount(events.high)}`}
        {quote.bytes === null ? '' : `; ${formatBytes(quote.bytes)} read`}
      </Figure>
      <Figure title="Rate" value={peak === null ? unknown : formatRate(peak.eventsPerSecond)}>
        safe: {formatRate(safeRate.eventsPerSecond)}
        {safeRate.eventsPerSecond === null ? `, ${safeRate.why}` : ''}
      </Figure>
      <Figure title="Peak spend per hour" value={formatMoney(peak?.spendPerHour)}>
        at the busiest moment
      </Figure>
      <Figure
        title="Peak on the stream"
        value={peak === null ? unknown : `${formatCount(peak.streamLength)} entries`}
      >
        {peak === null ? '' : formatBytes(peak.streamBytes)}
      </Figure>
    </dl>
  );
}

function between(cost: NonNullable<Quote['cost']>): string {
  const overage = sumOfItems(cost.items, 'overage');
  const part = overage === null ? '' : `; overage ${formatMoneyNumber(overage, decimalsOf(cost.likely))}`;
  return `${formatMoneyBounds(cost) ?? 'exactly'}${part}`;
}

function spread({ low, high }: NonNullable<Quote['durationSeconds']>): string {
  return `${formatEstimate(low)} to ${formatEstimate(high)}`;
}
