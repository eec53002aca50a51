import { Button, Skeleton } from '@mantine/core';
import type { PriceBook } from '@spillway/shared/api/cost';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconAlertTriangle, IconPencil } from '@tabler/icons-react';
import { lazy, Suspense, useState } from 'react';
import { Badge } from '../../../components/badge.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Panel } from '../../../components/panel.tsx';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import { formatInstant } from '../../../lib/instant.ts';
import {
  decimalsOfPrices,
  itemWords,
  priceNames,
  priceText,
  priceUnits,
  provisionWords,
  spendWords,
} from '../model/item-words.ts';
import { provisionText } from '../model/price-book-draft.ts';
import styles from './cost.module.css';

/** Fetched by those who edit. */
const PriceBookForm = lazy(() =>
  import('./price-book-form.tsx').then((module) => ({ default: module.PriceBookForm })),
);

/** What things cost here. Everybody reads it; admins edit it where it stands. */
export function PriceBookPanel({ pipeline }: { readonly pipeline: Pipeline }) {
  const [editing, setEditing] = useState(false);
  const book = pipeline.priceBook;
  const mayEdit = pipeline.allowedActions.includes('configure');
  return (
    <Panel
      id="price-book"
      title="Price book"
      hint={
        book === null
          ? 'What things cost here'
          : `Version ${book.version}, ${book.changedBy}, ${formatInstant(book.changedAt)} UTC`
      }
      aside={
        mayEdit && !editing ? (
          <Button
            variant="default"
            leftSection={<IconPencil aria-hidden size={16} />}
            onClick={() => setEditing(true)}
          >
            {book === null ? 'Write a price book' : 'Edit prices'}
          </Button>
        ) : null
      }
    >
      {editing ? (
        <Suspense fallback={<Skeleton height={420} />}>
          <PriceBookForm pipeline={pipeline} onDone={() => setEditing(false)} />
        </Suspense>
      ) : book === null ? (
        <Empty title="There is no price book yet">
          {mayEdit
            ? 'Without one nothing has a price: begin with an example and put in the figures of your bill.'
            : 'Without one nothing has a price. An admin writes it here.'}
        </Empty>
      ) : (
        <Facts book={book} />
      )}
    </Panel>
  );
}

function Facts({ book }: { readonly book: PriceBook }) {
  const decimals = decimalsOfPrices(book.prices);
  return (
    <div className={styles.stack}>
      <p className={styles.example}>
        <strong>{book.title}</strong>
        <ExampleMark book={book} />
      </p>
      <table className={styles.table}>
        <SpokenCaption>Prices</SpokenCaption>
        <thead>
          <tr>
            <th scope="col">Prices</th>
            <th scope="col">{book.currency}</th>
          </tr>
        </thead>
        <tbody>
          {priceNames.map((name) => {
            const [item, unit] = priceUnits[name];
            return (
              <tr key={name}>
                <th scope="row">
                  {itemWords[item]} <span className={styles.soft}>{unit}</span>
                </th>
                <td>{priceText(book.prices[name], decimals)}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
      <table className={styles.table}>
        <SpokenCaption>Provisioned amounts</SpokenCaption>
        <thead>
          <tr>
            <th scope="col">Provisioned: paid for, used or not</th>
            <th scope="col">Amount</th>
          </tr>
        </thead>
        <tbody>
          {(['cores', 'storeOperationsPerSecond', 'streamBytes'] as const).map((name) => (
            <tr key={name}>
              <th scope="row">{provisionWords[name][0]}</th>
              <td>{provisionText(name, book.provisioned[name])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className={styles.soft}>
        Budgets and spend per hour count {spendWords[book.spendCounts]}. What began under a version is priced
        by it to its end.
      </p>
    </div>
  );
}

/** Said wherever a figure rests on prices nobody has put in. */
export function ExampleMark({ book }: { readonly book: Pick<PriceBook, 'exampleOf'> | null }) {
  if (book?.exampleOf == null) return null;
  return (
    <Badge tone="warn" icon={IconAlertTriangle}>
      Example prices of {formatInstant(book.exampleOf)}
    </Badge>
  );
}
