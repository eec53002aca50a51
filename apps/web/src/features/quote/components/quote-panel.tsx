import { Skeleton } from '@mantine/core';
import type { Quote } from '@spillway/shared/api/quote';
import { IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { unfinishedStates } from '../../backfill/model/backfills-search.ts';
import { ItemsTable } from '../../cost/components/items-table.tsx';
import { sumOfItems } from '../../cost/model/item-parts.ts';
import { Legend } from '../../telemetry/components/legend.tsx';
import {
  goalDetail,
  goalText,
  isLoud,
  otherWarnings,
  sentenceText,
  streamText,
} from '../model/quote-words.ts';
import { FrontierChart } from './frontier-chart.tsx';
import { QuoteFigures } from './quote-figures.tsx';
import styles from './quote-panel.module.css';
import { RouteTable } from './route-table.tsx';

interface QuotePanelProps {
  readonly quote: Quote | undefined;
  /** Nothing can be quoted yet; it says what is missing. */
  readonly missing: string | null;
  readonly error: unknown;
  /** What is shown is of an earlier form: the next answer is on its way. */
  readonly waiting: boolean;
  readonly onRetry: () => void;
  /** As the form has it. */
  readonly eventsPerSecond: number | null;
  readonly onRate: (eventsPerSecond: number) => void;
}

/** What it will do and cost, before it starts. */
export function QuotePanel({ quote, missing, error, waiting, onRetry, ...chart }: QuotePanelProps) {
  return (
    <Panel
      title="Quote"
      hint="What it will do and cost; nothing is read from the sources for it"
      aside={
        <span className={styles.soft} role="status">
          {waiting && quote !== undefined ? 'Quoting again…' : ''}
        </span>
      }
    >
      {missing !== null ? (
        <Empty title="Nothing to quote yet">{missing}</Empty>
      ) : error !== null && quote === undefined ? (
        <Failed what="The quote" error={error} onRetry={onRetry} />
      ) : quote === undefined ? (
        <div className={styles.stack} role="status" aria-label="Quoting">
          <Skeleton height={120} />
          <Skeleton height={280} />
        </div>
      ) : (
        <div className={styles.stack} data-waiting={waiting || undefined}>
          {error === null ? null : <Failed what="A newer quote" error={error} onRetry={onRetry} />}
          <Answer quote={quote} {...chart} />
        </div>
      )}
    </Panel>
  );
}

/** Of fifty the first few say what the matter is. */
const overlapsShown = 5;

function Answer({
  quote,
  eventsPerSecond,
  onRate,
}: Pick<QuotePanelProps, 'eventsPerSecond' | 'onRate'> & { readonly quote: Quote }) {
  const { cost, frontier, goal, overlaps } = quote;
  const warnings = otherWarnings(quote);
  return (
    <>
      {goal === null ? null : (
        <p className={styles.goal} data-met={goal.met} role="status">
          <strong>{goalText(goal)}</strong> {goalDetail(goal)}
        </p>
      )}
      <QuoteFigures quote={quote} />
      {frontier.length > 1 && frontier[0] !== undefined ? (
        <div>
          <h3 className={styles.subtitle}>Every rate, and what it comes to</h3>
          <Legend
            items={[
              { name: 'absorbed by provisioned capacity', tone: 'good' },
              { name: 'overage', tone: 'warn' },
              { name: 'safe rate', tone: 'limit' },
            ]}
          />
          <FrontierChart
            quote={quote}
            eventsPerSecond={eventsPerSecond}
            currency={frontier[0].cost.currency}
            onRate={onRate}
          />
        </div>
      ) : null}
      {warnings.length + overlaps.length === 0 ? null : (
        <ul className={styles.notes} aria-label="Warnings">
          {warnings.filter(isLoud).map((warning) => (
            <li key={warning.code} data-loud>
              <IconAlertTriangle aria-label="Warning" size={18} />
              <span>{sentenceText(warning.detail)}</span>
            </li>
          ))}
          {overlaps.slice(0, overlapsShown).map(({ backfillId, detail }) => (
            <li key={backfillId} data-loud>
              <IconAlertTriangle aria-hidden size={18} />
              <span>
                Overlaps:{' '}
                <Link to="/backfills/$backfillId" params={{ backfillId }}>
                  {backfillId}
                </Link>
                {sentenceText(detail.replace(backfillId, ''))}
              </span>
            </li>
          ))}
          {overlaps.length <= overlapsShown ? null : (
            <li data-loud>
              <IconAlertTriangle aria-hidden size={18} />
              <span>
                {overlaps.length - overlapsShown} more overlap.{' '}
                <Link to="/backfills" search={{ state: unfinishedStates }}>
                  See all that are not over
                </Link>
              </span>
            </li>
          )}
          {warnings
            .filter((warning) => !isLoud(warning))
            .map((warning) => (
              <li key={warning.code}>
                <IconInfoCircle aria-hidden size={18} />
                <span>{sentenceText(warning.detail)}</span>
              </li>
            ))}
        </ul>
      )}
      {cost === null ? null : (
        <details open>
          <summary>By item</summary>
          <ItemsTable
            caption="The likely cost by item"
            items={cost.items}
            sum={{
              total: cost.likely,
              provisioned: sumOfItems(cost.items, 'provisioned'),
              overage: sumOfItems(cost.items, 'overage'),
            }}
          />
        </details>
      )}
      <details>
        <summary>A stream of its own, or live’s</summary>
        <RouteTable route={quote.route} />
        {quote.stream === null ? null : <p className={styles.soft}>{streamText(quote.stream)}</p>}
      </details>
    </>
  );
}
