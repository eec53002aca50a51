import type { Backfill } from '@spillway/shared/api/backfill';
import { Meter } from '../../../components/meter.tsx';
import { formatMs, formatRate, formatRateNumber, known, milliseconds } from '../../../lib/format.ts';
import { spendAgainstBudget } from '../../cost/model/spend.ts';
import type { PipelineSnapshot } from '../../telemetry/model/live-store.ts';
import { freshnessTone, oldestTone } from '../model/tile-tone.ts';
import { freshnessMs, liveSignal } from '../model/verdict.ts';
import { Tile } from './tile.tsx';
import styles from './tiles.module.css';

/** Freshness, the oldest event that waits, replay against what it was granted, and what it spends. */
export function Tiles({
  live,
  backfills,
  stale,
  atRisk,
}: {
  readonly live: PipelineSnapshot | undefined;
  /** Current; undefined: not read yet. */
  readonly backfills: readonly Backfill[] | undefined;
  readonly stale: boolean;
  /** The verdict: a tile is never calmer than the sentence above it. */
  readonly atRisk: boolean;
}) {
  const values = live?.values ?? {};
  const governor = live?.governor ?? null;
  const freshMs = freshnessMs(governor, values);
  const freshness = milliseconds(freshMs);
  const oldestMs = oldestPendingMs(live);
  const oldest = milliseconds(oldestMs);
  const replay = live?.replay?.eventsPerSecond;
  const of = live?.replay?.of ?? 'applied';
  const granted = values['grantedEventsPerSecond'];
  const liveRate = values['liveEventsPerSecond'];
  const spend = spendAgainstBudget(backfills);
  const target = liveSignal(governor, 'liveFreshnessMsP99')?.target;
  const arriving = values['livePublishedEventsPerSecond'];

  return (
    <div className={styles.tiles}>
      <Tile
        label="Live freshness, p99"
        value={freshness.value}
        unit={freshness.unit}
        tone={freshnessTone(governor, freshMs, atRisk)}
        stale={stale}
      >
        p50 {formatMs(values['liveFreshnessMsP50'])} ·{' '}
        {target == null ? 'published to applied' : `target ${formatMs(target)}`}
      </Tile>
      <Tile
        label="Oldest live event waiting"
        value={oldest.value}
        unit={oldest.unit}
        tone={oldestTone(governor, oldestMs, atRisk)}
        stale={stale}
      >
        {oldestMs === 0 ? 'nothing waits' : 'in the live stream'} ·{' '}
        {known(liveRate) ? `live: ${formatRate(liveRate)} applied` : 'live rate: unknown'}
        {known(arriving) && known(liveRate) && Math.round(arriving) !== Math.round(liveRate)
          ? `, ${formatRateNumber(arriving)} arriving`
          : ''}
      </Tile>
      <Tile
        label="Replay rate"
        value={formatRateNumber(replay)}
        unit={known(replay) ? 'events/s' : ''}
        stale={stale}
      >
        {known(granted) && granted > 0 ? (
          <>
            {of}, of {formatRate(granted)} granted
            <Meter
              percent={known(replay) ? (replay / granted) * 100 : null}
              label="Replay rate against its limit"
              tone="replay"
            />
          </>
        ) : granted === 0 ? (
          'no replay is granted'
        ) : replay === 0 ? (
          'nothing is replayed'
        ) : (
          'its limit is unknown'
        )}
      </Tile>
      <Tile
        label="Spend against budget"
        value={spend.value}
        unit={spend.unit}
        tone={spend.tone}
        stale={stale}
      >
        {spend.note}
        {spend.percent === null ? null : (
          <Meter
            percent={spend.percent}
            label="Spent of the budgets"
            tone={spend.tone === 'calm' ? 'replay' : spend.tone === 'watch' ? 'warn' : 'bad'}
          />
        )}
      </Tile>
    </div>
  );
}

function oldestPendingMs(live: PipelineSnapshot | undefined): number | null {
  return live?.streams.find((stream) => stream.role !== 'replay')?.oldestPendingMs ?? null;
}
