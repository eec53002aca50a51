import { Meter } from '../../../components/meter.tsx';
import { formatCount } from '../../../lib/format.ts';
import {
  fillOf,
  fillTone,
  lagText,
  lengthNote,
  pausedText,
  roleWords,
  type Stream,
} from '../../streams/model/stream-words.ts';
import styles from './stream-list.module.css';

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
        const fill = fillOf(stream);
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
              <span className={styles.soft}>{lengthNote(stream)}</span>
            </p>
            {fill === null ? null : (
              <Meter
                percent={fill * 100}
                label={`${stream.name}: length against its high-water mark`}
                tone={fillTone(fill)}
              />
            )}
            <p className={styles.soft}>{lagText(stream)}</p>
            {stream.role === 'live' ? null : (
              <p className={styles.soft}>safe to stay paused for {pausedText(stream)}</p>
            )}
          </li>
        );
      })}
    </ul>
  );
}
