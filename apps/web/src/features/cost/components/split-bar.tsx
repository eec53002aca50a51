import type { Money } from '@spillway/shared/api/primitives';
import { formatRatio } from '../../../lib/format.ts';
import { formatMoney, moneyRatio, sumMoney } from '../../../lib/money.ts';
import { Legend } from '../../telemetry/components/legend.tsx';
import styles from './cost.module.css';

/** What capacity that is paid for already absorbs, against what it does not. */
export function SplitBar({
  provisioned,
  overage,
  decimals,
}: {
  readonly provisioned: Money;
  readonly overage: Money;
  readonly decimals: number;
}) {
  const absorbed = moneyRatio(provisioned, sumMoney([provisioned, overage]));
  return (
    <div className={styles.stack} style={{ gap: 6 }}>
      <div
        className={styles.split}
        role="img"
        aria-label={
          absorbed === null
            ? 'Nothing has been spent'
            : `${formatRatio(absorbed)} is absorbed by provisioned capacity, the rest is overage`
        }
      >
        <i data-part="provisioned" style={{ width: `${(absorbed ?? 0) * 100}%` }} />
        <i data-part="overage" style={{ width: `${absorbed === null ? 0 : (1 - absorbed) * 100}%` }} />
      </div>
      <Legend
        items={[
          { name: 'Provisioned', tone: 'good', value: formatMoney(provisioned, decimals) },
          { name: 'Overage', tone: 'warn', value: formatMoney(overage, decimals) },
        ]}
      />
    </div>
  );
}
