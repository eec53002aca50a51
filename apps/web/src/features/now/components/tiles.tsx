import { Meter } from '../../../components/meter.tsx';
import { formatMs, formatRate, formatRateNumber, known, milliseconds } from '../../../lib/format.ts';
import type { PipelineSnapshot } from '../../telemetry/model/live-store.ts';
import { freshnessLimitMs, freshnessMs } from '../model/verdict.ts';
import { Tile } from './tile.tsx';
import styles from './tiles.module.css';

/** Freshness, the oldest event that waits, replay against what it was granted, and live itself. */
export function Tiles({
  live,
  stale,
  atRisk,
}: {
  readonly live: PipelineSnapshot | undefined;
  readonly stale: boolean;
  /** The verdict: a tile is never calmer than the sentence above it. */
  readonly atRisk: boolean;
}) {
  const values = live?.values ?? {};
  const freshness = milliseconds(freshnessMs(live?.governor ?? null, values));
  const oldestMs = oldestPendingMs(live);
  const oldest = milliseconds(oldestMs);
  const replay = values['replayEventsPerSecond'];
  const granted = values['grantedEventsPerSecond'];
  const liveRate = values['liveEventsPerSecond'];
  const target = freshnessSignal(live)?.target;
  const arriving = values['livePublishedEventsPerSecond'];

  return (
    <div className={styles.tiles}>
      <Tile
        label="Live freshness, p99"
        value={freshness.value}
        unit={freshness.unit}
        tone={freshnessTone(live, atRisk)}
        stale={stale}
      >
        p50 {formatMs(values['liveFreshnessMsP50'])} ·{' '}
        {target == null ? 'published to applied' : `target ${formatMs(target)}`}
      </Tile>
      <Tile
        label="Oldest live event waiting"
        value={oldest.value}
        unit={oldest.unit}
        tone={toneOf(oldestMs)}
        stale={stale}
      >
        {oldestMs === 0 ? 'nothing waits' : 'in the live stream, not applied yet'}
      </Tile>
      <Tile
        label="Replay rate"
        value={formatRateNumber(replay)}
        unit={known(replay) ? 'events/s' : ''}
        stale={stale}
      >
        {known(granted) && granted > 0 ? (
          <>
            of {formatRate(granted)} granted
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
        label="Live rate, applied"
        value={formatRateNumber(liveRate)}
        unit={known(liveRate) ? 'events/s' : ''}
        stale={stale}
      >
        {known(arriving) ? `${formatRate(arriving)} arriving` : 'arriving: unknown'}
      </Tile>
    </div>
  );
}

function oldestPendingMs(live: PipelineSnapshot | undefined): number | null {
  return live?.streams.find((stream) => stream.role !== 'replay')?.oldestPendingMs ?? null;
}

function freshnessSignal(live: PipelineSnapshot | undefined) {
  return live?.governor?.signals.find(({ name }) => name === 'liveFreshnessMsP99');
}

/** By its target where it has one, since that is what the governor holds it to. */
function freshnessTone(live: PipelineSnapshot | undefined, atRisk: boolean): 'calm' | 'watch' | 'risk' {
  const byLimit = toneOf(live?.values['liveFreshnessMsP99']);
  if (byLimit === 'risk') return byLimit;
  const verdict = freshnessSignal(live)?.verdict;
  if (verdict === undefined || verdict === 'ungoverned') return byLimit;
  return verdict !== 'breached' ? 'calm' : atRisk ? 'risk' : 'watch';
}

function toneOf(ms: number | null | undefined): 'calm' | 'watch' | 'risk' {
  if (!known(ms) || ms < freshnessLimitMs / 2) return 'calm';
  return ms < freshnessLimitMs ? 'watch' : 'risk';
}
