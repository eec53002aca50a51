import type { ReactNode } from 'react';
import { Meter } from '../../../components/meter.tsx';
import { Panel } from '../../../components/panel.tsx';
import { formatBytes, formatMs, formatRatio, known } from '../../../lib/format.ts';
import {
  entriesText,
  fillOf,
  fillTone,
  oldestText,
  pausedText,
  retentionText,
  roleWords,
  type Stream,
} from '../model/stream-words.ts';
import styles from './stream-panel.module.css';

/** Everything that is known of one stream: how full, how far behind, and what is kept for how long. */
export function StreamPanel({ stream, stale }: { readonly stream: Stream; readonly stale: boolean }) {
  const fill = fillOf(stream);
  return (
    <Panel
      title={stream.name}
      aside={
        <span className={styles.role} data-role={stream.role}>
          {roleWords[stream.role]}
        </span>
      }
      stale={stale}
    >
      <div className={styles.stack}>
        <div>
          <p className={styles.length}>
            {entriesText(stream.length)}{' '}
            <span className={styles.soft}>
              {fill !== null
                ? stream.external
                  ? `yours among them; its lag is at ${formatRatio(fill)} of the high-water mark`
                  : `${formatRatio(fill)} of its high-water mark`
                : known(stream.highWaterMark)
                  ? ''
                  : 'without a mark: live is never stopped'}
            </span>
          </p>
          {/* Also where there is none: the figures of two streams stand at one height. */}
          <div className={styles.meter}>
            {fill === null ? null : (
              <Meter
                percent={fill * 100}
                label={`${stream.name}: ${stream.external ? 'lag' : 'length'} against its high-water mark`}
                tone={fillTone(fill)}
              />
            )}
          </div>
        </div>
        <dl className={styles.facts}>
          <Fact name="Size">{formatBytes(stream.lengthBytes)}</Fact>
          <Fact name="High-water mark">
            {known(stream.highWaterMark) ? entriesText(stream.highWaterMark) : 'none'}
          </Fact>
          <Fact name="Lag">{entriesText(stream.consumerLag)}</Fact>
          <Fact name="Lag in time">{formatMs(stream.consumerLagMs)}</Fact>
          <Fact name="Oldest pending">{oldestText(stream)}</Fact>
          <Fact name="Safe to stay paused for">{pausedText(stream)}</Fact>
          <Fact name="Kept" wide>
            {retentionText(stream.retention)}
          </Fact>
        </dl>
      </div>
    </Panel>
  );
}

function Fact({
  name,
  wide = false,
  children,
}: {
  readonly name: string;
  readonly wide?: boolean;
  readonly children: ReactNode;
}) {
  return (
    <div data-wide={wide || undefined}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
