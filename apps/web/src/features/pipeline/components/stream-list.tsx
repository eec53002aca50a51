import type { Streams } from '@spillway/shared/api/pipeline';
import { Meter } from '../../../components/meter.tsx';
import { formatBytes, formatCount, formatMs, formatRatio, formatSpan, known } from '../../../lib/format.ts';
import styles from './stream-list.module.css';

type Stream = Streams['items'][number];

const roleWords: Readonly<Record<Stream['role'], string>> = {
  live: 'Live',
  replay: 'Replay',
  shared: 'Live and replay',
};

/** How long each stream is, against its high-water mark, and how far behind its consumers are, in entries and in time. */
export function StreamList({
  streams,
  stale,
}: {
  readonly streams: readonly Stream[];
  readonly stale: boolean;
}) {
  return (
    <ul className={styles.list} data-stale={stale || undefined}>
      {streams.map((stream) => {
        const fill =
          known(stream.length) && known(stream.highWaterMark) ? stream.length / stream.highWaterMark : null;
        return (
          <li key={stream.name} className={styles.stream}>
            <div className={styles.head}>
              <h3 className={styles.name}>{stream.name}</h3>
              <span className={styles.role} data-role={stream.role}>
                {roleWords[stream.role]}
              </span>
            </div>
            <p>
              <strong className={styles.length}>{formatCount(stream.length)}</strong>{' '}
              <span className={styles.soft}>
                {known(stream.length) ? 'entries' : 'length'}
                {fill === null ? '' : ` of ${formatCount(stream.highWaterMark)} (${formatRatio(fill)})`} ·{' '}
                {formatBytes(stream.lengthBytes)}
              </span>
            </p>
            {fill === null ? null : (
              <Meter
                percent={fill * 100}
                label={`${stream.name}: length against its high-water mark`}
                tone={fill < 0.5 ? 'quiet' : fill < 0.9 ? 'warn' : 'bad'}
              />
            )}
            <p className={styles.soft}>
              lag {formatCount(stream.consumerLag)} {known(stream.consumerLag) ? 'entries' : ''} ·{' '}
              {formatMs(stream.consumerLagMs)} · oldest pending {formatMs(stream.oldestPendingMs)}
            </p>
            {stream.role === 'live' ? null : (
              <p className={styles.soft}>
                {stream.safePausedForMs === null
                  ? 'safe to stay paused for as long as it takes'
                  : `safe to stay paused for ${formatSpan(stream.safePausedForMs)}`}
              </p>
            )}
          </li>
        );
      })}
    </ul>
  );
}
