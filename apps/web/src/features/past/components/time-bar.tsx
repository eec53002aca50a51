import { ActionIcon, SegmentedControl } from '@mantine/core';
import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, type PointerEvent, useMemo, useState } from 'react';
import { Hint } from '../../../components/hint.tsx';
import { useThrottled } from '../../../lib/use-throttled.ts';
import { useWidth } from '../../../lib/use-width.ts';
import { useStale } from '../../telemetry/components/live-context.ts';
import { timelineQuery } from '../api/get-moments.ts';
import { binWords, edgeWords, momentWords, recordedWords, timeWords } from '../model/bar-words.ts';
import { stepMsAt } from '../model/chunks.ts';
import {
  markNear,
  marksOf,
  momentAfterKey,
  momentAtPlace,
  nextMark,
  placeOf,
  rangeOf,
  type SpanName,
  spanFor,
  spans,
} from '../model/time-bar.ts';
import styles from './time-bar.module.css';
import { TimeLanes } from './time-lanes.tsx';

/** While the handle is dragged the screen follows so often. */
const FOLLOW_EVERY_MS = 120;
const MARK_REACH_PX = 6;

/** What was recorded, with who did what and what was wrong, and a handle to look at any moment of it. */
export function TimeBar({
  pipelineId,
  atMs,
  onSeek,
}: {
  readonly pipelineId: string;
  /** Null: the present. */
  readonly atMs: number | null;
  readonly onSeek: (atMs: number | null) => void;
}) {
  const stale = useStale();
  const [span, setSpan] = useState<SpanName>(() => spanFor(atMs === null ? 0 : Date.now() - atMs));
  const { data: timeline, isError } = useQuery(timelineQuery(pipelineId, span, atMs !== null));
  const [trackRef, width] = useWidth<HTMLDivElement>();
  /** Under the pointer; `held`: with the handle in hand. */
  const [pointed, setPointed] = useState<{ readonly atMs: number | null; readonly held: boolean } | null>(
    null,
  );
  const seekSoon = useThrottled(onSeek, FOLLOW_EVERY_MS);
  /** On its way: a key that is held down counts from where the last one led, and the handle stands there. */
  const [asked, setAsked] = useState<{ readonly atMs: number | null } | null>(null);
  if (asked !== null && asked.atMs === atMs) setAsked(null);
  const hereMs = asked === null ? atMs : asked.atMs;
  const seek = (to: number | null) => {
    setAsked({ atMs: to });
    seekSoon(to);
  };

  const range = timeline === undefined ? null : rangeOf(timeline);
  const marks = useMemo(() => (timeline === undefined ? [] : marksOf(timeline)), [timeline]);
  const shownMs = pointed?.held === true ? pointed.atMs : hereMs;
  const stepOf = (ms: number) => stepMsAt(ms, Date.now());

  const under = (event: PointerEvent<HTMLDivElement>): number | null => {
    const box = event.currentTarget.getBoundingClientRect();
    if (range === null) return null;
    const place = (event.clientX - box.left) / box.width;
    const near = range.fromMs + place * (range.toMs - range.fromMs);
    return momentAtPlace(place, range, stepOf(near));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (range === null || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = momentAfterKey(event.key, hereMs, range, stepOf(hereMs ?? range.toMs));
    if (next === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    seek(next);
  };
  const jump = (direction: -1 | 1) => {
    if (range === null) return;
    const to = nextMark(marks, hereMs, direction, range, stepOf(hereMs ?? range.toMs));
    if (to !== null || direction === 1) seek(to);
  };

  const tellMs = pointed === null ? shownMs : pointed.atMs;
  const reachMs = range === null || width === 0 ? 0 : ((range.toMs - range.fromMs) / width) * MARK_REACH_PX;
  const mark = tellMs === null ? null : markNear(marks, tellMs, reachMs);
  const place = range === null || shownMs === null ? 1 : placeOf(shownMs, range);
  return (
    <section
      className={styles.bar}
      aria-label="Time bar"
      data-past={atMs !== null || undefined}
      data-stale={stale || undefined}
    >
      <div className={styles.tools}>
        <SegmentedControl
          size="xs"
          data={spans.map(({ value, label }) => ({ value, label }))}
          value={span}
          onChange={(value) => setSpan(value as SpanName)}
          aria-label="How far back the time bar reaches"
        />
        <Jump label="To the event before" direction={-1} onJump={jump} disabled={marks.length === 0} />
        <Jump
          label="To the next event"
          direction={1}
          onJump={jump}
          disabled={marks.length === 0 || atMs === null}
        />
      </div>
      <div
        ref={trackRef}
        className={styles.track}
        role="slider"
        tabIndex={0}
        aria-label="Moment looked at"
        aria-orientation="horizontal"
        aria-valuemin={range?.fromMs ?? 0}
        aria-valuemax={range?.toMs ?? 0}
        aria-valuenow={shownMs ?? range?.toMs ?? 0}
        aria-valuetext={
          shownMs === null
            ? stale
              ? 'The present as last known'
              : 'Live, now'
            : `${momentWords(shownMs, Date.now())}${mark === null ? '' : `, ${mark.text}`}`
        }
        aria-disabled={range === null || undefined}
        onKeyDown={onKeyDown}
        onPointerDown={(event) => {
          if (event.button !== 0 || range === null) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const to = under(event);
          setPointed({ atMs: to, held: true });
          seek(to);
        }}
        onPointerMove={(event) => {
          const to = under(event);
          const held = event.currentTarget.hasPointerCapture(event.pointerId);
          setPointed({ atMs: to, held });
          if (held) seek(to);
        }}
        onPointerUp={() => setPointed(null)}
        onPointerCancel={() => setPointed(null)}
        onPointerLeave={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId)) setPointed(null);
        }}
      >
        {timeline === undefined || range === null ? null : (
          <TimeLanes timeline={timeline} width={width} marks={marks} />
        )}
        {range === null ? null : (
          <>
            <span className={styles.handle} style={{ left: `${place * 100}%` }} aria-hidden />
            {pointed !== null && !pointed.held && pointed.atMs !== null ? (
              <span
                className={styles.ghost}
                style={{ left: `${placeOf(pointed.atMs, range) * 100}%` }}
                aria-hidden
              />
            ) : null}
          </>
        )}
      </div>
      <div className={styles.edges} aria-hidden>
        <span>{range === null ? '' : edgeWords(range)}</span>
        <span>now</span>
      </div>
      <p className={styles.tell}>
        {isError && timeline === undefined ? (
          'What was recorded cannot be read now.'
        ) : tellMs === null ? (
          <>
            <strong className={stale ? undefined : styles.live}>{stale ? 'Not live' : 'Live'}</strong>
            <span className={styles.soft}>
              {stale
                ? 'the event stream has dropped'
                : timeline === undefined
                  ? ''
                  : recordedWords(timeline, span)}
            </span>
          </>
        ) : (
          <>
            {/* How long ago is said where it is kept true: the band above counts on, the bar stands still. */}
            <strong>
              {pointed === null ? timeWords(tellMs, Date.now()) : momentWords(tellMs, Date.now())}
            </strong>
            <span className={styles.soft} title={mark?.text}>
              {mark?.text ?? (timeline === undefined ? '' : binWords(timeline, tellMs))}
            </span>
          </>
        )}
      </p>
    </section>
  );
}

function Jump({
  label,
  direction,
  onJump,
  disabled,
}: {
  readonly label: string;
  readonly direction: -1 | 1;
  readonly onJump: (direction: -1 | 1) => void;
  readonly disabled: boolean;
}) {
  const Icon = direction === -1 ? IconChevronLeft : IconChevronRight;
  return (
    <Hint label={label}>
      <ActionIcon
        variant="default"
        size={28}
        aria-label={label}
        disabled={disabled}
        onClick={() => onJump(direction)}
      >
        <Icon aria-hidden size={16} />
      </ActionIcon>
    </Hint>
  );
}
