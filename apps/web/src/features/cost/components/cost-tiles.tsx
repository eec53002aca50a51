import type { PipelineCost } from '@spillway/shared/api/cost';
import { unknown } from '../../../lib/format.ts';
import { decimalsOfAll, formatMoneyNumber } from '../../../lib/money.ts';
import { Tile } from '../../now/components/tile.tsx';
import { perHourWords, replaySpent } from '../model/spend.ts';
import styles from './cost.module.css';
import { SplitBar } from './split-bar.tsx';

/** The meter now: what an hour costs, what live and replay have cost, and what of it was paid for already. */
export function CostTiles({ cost, stale }: { readonly cost: PipelineCost; readonly stale: boolean }) {
  const { backfills, currency, live, overage, provisioned, spendPerHour } = cost;
  // Parts of one sum: their points stand at one place.
  const decimals = decimalsOfAll([live?.spend, provisioned, overage]);
  const replay = replaySpent(backfills, currency, decimals);
  const money = (amount: typeof spendPerHour, own?: number) => ({
    value: amount === null ? unknown : formatMoneyNumber(amount, own),
    unit: amount === null ? '' : currency,
  });
  return (
    <div className={styles.tiles}>
      <Tile label="Spend per hour" {...money(spendPerHour)} stale={stale}>
        live and replay, over the last minute
      </Tile>
      <Tile label="Live, spent" {...money(live?.spend ?? null, decimals)} stale={stale}>
        {live === null ? 'not metered yet' : perHourWords(live.spendPerHour)}
      </Tile>
      <Tile label="Replay, spent" value={replay.value} unit={replay.unit} stale={stale}>
        {replay.note}
      </Tile>
      <Tile label="Overage" {...money(overage, decimals)} stale={stale}>
        <SplitBar provisioned={provisioned} overage={overage} decimals={decimals} />
      </Tile>
    </div>
  );
}
