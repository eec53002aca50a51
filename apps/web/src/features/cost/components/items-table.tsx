import type { CostItem, EstimatedItem } from '@spillway/shared/api/cost';
import type { Money } from '@spillway/shared/api/primitives';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import { formatMoneyCell } from '../../../lib/money.ts';
import { itemParts } from '../model/item-parts.ts';
import { itemWords, quantityText } from '../model/item-words.ts';
import styles from './cost.module.css';

interface ItemsTableProps {
  readonly caption: string;
  readonly items: readonly (CostItem | EstimatedItem)[];
  readonly sum: { readonly total: Money; readonly provisioned: Money | null; readonly overage: Money | null };
}

/** Item by item: what capacity that is paid for absorbs, what is overage, and both together. What costs nothing, or nobody knows, is named in a line. */
export function ItemsTable({ caption, items, sum }: ItemsTableProps) {
  const { shown, free, missing, decimals } = itemParts(items);
  const cell = (money: Money | null, minor = false) => (
    <td className={money === null ? styles.unknown : undefined} data-minor={minor || undefined}>
      {formatMoneyCell(money, decimals)}
    </td>
  );
  return (
    <div className={styles.stack} style={{ gap: 6 }}>
      <div>
        <table className={styles.table}>
          <SpokenCaption>{caption}</SpokenCaption>
          <thead>
            <tr>
              <th scope="col">{sum.total.currency}</th>
              <th scope="col" data-minor>
                Provisioned
              </th>
              <th scope="col">Overage</th>
              <th scope="col">Total</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((item) => (
              <tr key={item.item} data-item={item.item}>
                <th scope="row">
                  {itemWords[item.item]}
                  <span className={styles.note}>
                    {[quantityText(item.counter, item.quantity), ...noteOf(item)].join(' · ')}
                  </span>
                </th>
                {cell(item.provisioned, true)}
                {cell(item.overage)}
                {cell(item.total)}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">Together</th>
              {cell(sum.provisioned, true)}
              {cell(sum.overage)}
              {cell(sum.total)}
            </tr>
          </tfoot>
        </table>
      </div>
      {free.length === 0 ? null : (
        <p className={styles.soft}>Costs nothing here: {free.map((item) => itemWords[item]).join(', ')}.</p>
      )}
      {missing.length === 0 ? null : (
        <p className={styles.soft}>
          Unknown, and left out of the sum: {missing.map((item) => itemWords[item]).join(', ')}.
        </p>
      )}
    </div>
  );
}

function noteOf(item: CostItem | EstimatedItem): readonly string[] {
  if ('basis' in item) return item.basis === 'assumed' ? ['assumed'] : [];
  return item.apportioned ? ['apportioned'] : [];
}
