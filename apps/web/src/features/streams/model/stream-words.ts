/** A stream in words. What the backbone cannot say is "unknown", never 0. */
import type { Streams } from '@spillway/shared/api/pipeline';
import { parseDurationMs } from '../../../lib/duration.ts';
import {
  formatBytes,
  formatCount,
  formatMs,
  formatRatio,
  formatSpan,
  known,
  unknown,
} from '../../../lib/format.ts';
import type { ChartLine } from '../../telemetry/components/line-chart.tsx';

export type Stream = Streams['items'][number];

export const roleWords: Readonly<Record<Stream['role'], string>> = {
  live: 'Live',
  replay: 'Replay',
  shared: 'Live and replay',
};

/** "1,204 entries", "1 entry". */
export function entriesText(entries: number | null): string {
  return known(entries)
    ? `${formatCount(entries)} ${entries === 1 ? 'entry' : 'entries'}`
    : formatCount(null);
}

/** How long replay may stay paused before something of it is lost. Live on a stream of its own does not notice. */
export function pausedText({ role, length, safePausedForMs, accepted, external }: Stream): string {
  if (external) return 'as long as you do not trim it';
  if (role !== 'live' && accepted?.includes('retention'))
    return safePausedForMs === null
      ? 'unknown, as accepted: nobody says when it drops entries'
      : `at most ${formatSpan(safePausedForMs)}; it may drop entries before, as accepted`;
  if (safePausedForMs !== null) return formatSpan(safePausedForMs);
  return role === 'live' || known(length) ? 'as long as it takes' : formatSpan(null);
}

/** How far behind its consumers are, on one line; what is not known at all is said once. */
export function lagText({ consumerLag, consumerLagMs, oldestPendingMs }: Stream): string {
  const behind =
    known(consumerLag) || known(consumerLagMs)
      ? `${known(consumerLag) ? entriesText(consumerLag) : 'in entries unknown'} · ${known(consumerLagMs) ? formatMs(consumerLagMs) : 'in time unknown'}`
      : unknown;
  return `lag ${behind} · oldest pending ${formatMs(oldestPendingMs)}`;
}

/** What follows its length: the unit, the mark it is held to, and its size. */
export function lengthNote(stream: Stream): string {
  const { highWaterMark, length: entries, lengthBytes, external } = stream;
  if (external) {
    const filled = fillOf(stream);
    return filled === null
      ? 'entries'
      : `entries, yours among them · lag at ${formatRatio(filled)} of ${formatCount(highWaterMark)}`;
  }
  if (!known(entries)) return known(lengthBytes) ? `length · ${formatBytes(lengthBytes)}` : 'length and size';
  const fill = fillOf(stream);
  const mark = fill === null ? '' : ` of ${formatCount(highWaterMark)} (${formatRatio(fill)})`;
  const size = known(lengthBytes) ? formatBytes(lengthBytes) : 'size unknown';
  return `${entries === 1 && mark === '' ? 'entry' : 'entries'}${mark} · ${size}`;
}

/** With nothing waiting there is no oldest. */
export function oldestText({ consumerLag, oldestPendingMs }: Stream): string {
  return consumerLag === 0 ? 'nothing waits' : formatMs(oldestPendingMs);
}

/** "at most PT1H, 20000 entries, 1048576 bytes, applied or not" as people read it. */
export function retentionText(retention: string): string {
  return retention
    .replace(/\bP(?:\d|T)[\dWDTHMS.]*/g, (duration) => formatSpan(parseDurationMs(duration)))
    .replace(/\b(\d+) entries/g, (_, entries) => entriesText(Number(entries)))
    .replace(/\b(\d+) bytes/g, (_, bytes) => formatBytes(Number(bytes)));
}

/** Filled of its mark, 0 to 1 and above; null: it has none, or is unknown. */
export function fillOf({ length, consumerLag, highWaterMark, external }: Stream): number | null {
  // A stream of the user's own keeps what is finished, too: there the mark is of what waits.
  const filled = external ? consumerLag : length;
  return known(filled) && known(highWaterMark) ? filled / highWaterMark : null;
}

export function fillTone(fill: number): 'quiet' | 'warn' | 'bad' {
  return fill < 0.5 ? 'quiet' : fill < 0.9 ? 'warn' : 'bad';
}

export type ChartView = 'entries' | 'time';

export interface StreamLine extends ChartLine {
  readonly name: string;
  /** In words, for the legend. */
  readonly value: (stream: Stream) => string;
  readonly role: 'live' | 'replay';
}

const length = ({ length: entries }: Stream) => entriesText(entries);
const lag = ({ consumerLag }: Stream) => entriesText(consumerLag);
const lagMs = ({ consumerLagMs }: Stream) => formatMs(consumerLagMs);

/** Hoisted: a chart whose lines were new each second would draw everything anew. */
export const chartLines: Readonly<Record<ChartView, readonly StreamLine[]>> = {
  entries: [
    { name: 'Replay, length', metric: 'replayStreamLength', tone: 'replay', role: 'replay', value: length },
    {
      name: 'Replay, lag',
      metric: 'replayLagEntries',
      tone: 'replay',
      role: 'replay',
      dotted: true,
      value: lag,
    },
    { name: 'Live, length', metric: 'streamLength', tone: 'live', role: 'live', value: length },
    { name: 'Live, lag', metric: 'liveLagEntries', tone: 'live', role: 'live', dotted: true, value: lag },
  ],
  time: [
    { name: 'Replay, lag', metric: 'replayLagMs', tone: 'replay', role: 'replay', value: lagMs },
    { name: 'Live, lag', metric: 'liveLagMs', tone: 'live', role: 'live', value: lagMs },
  ],
};

/** On a shared stream there is no replay stream to draw. */
export function linesFor(view: ChartView, streams: readonly Stream[]): readonly StreamLine[] {
  if (streams.some(({ external }) => external)) return externalLines[view];
  return streams.some(({ role }) => role === 'shared') ? sharedLines[view] : chartLines[view];
}
/** Of a stream of the user's own nothing but what waits is recorded, whoever published it. */
const externalLines: Readonly<Record<ChartView, readonly StreamLine[]>> = {
  entries: chartLines.entries.filter(({ metric }) => metric === 'replayLagEntries'),
  time: chartLines.time.filter(({ metric }) => metric === 'replayLagMs'),
};
const ofLive = (lines: readonly StreamLine[]) => lines.filter(({ role }) => role === 'live');
const sharedLines: Readonly<Record<ChartView, readonly StreamLine[]>> = {
  entries: ofLive(chartLines.entries),
  time: ofLive(chartLines.time),
};

interface ChartWords {
  readonly title: string;
  readonly hint: string;
  /** What is drawn, for those who do not see it. */
  readonly label: string;
}

/** What the chart is of: as much as its lines show. */
export function chartWords(view: ChartView, streams: readonly Stream[]): ChartWords {
  const words = streams.some(({ external }) => external) ? waitingWords : lengthWords;
  return words[view];
}
const lengthWords: Readonly<Record<ChartView, ChartWords>> = {
  entries: {
    title: 'Length and lag',
    hint: 'Entries',
    label: 'Length and lag of the streams in entries',
  },
  time: {
    title: 'Length and lag',
    hint: 'Age of the oldest entry that is not applied',
    label: 'Lag of the streams in time',
  },
};
const waitingWords: Readonly<Record<ChartView, ChartWords>> = {
  entries: { title: 'Waiting', hint: 'Entries', label: 'Entries that wait for your consumers' },
  time: {
    title: 'Waiting',
    hint: 'Age of the oldest entry that waits',
    label: 'How long entries have waited for your consumers',
  },
};

/** The stream that a line is about. */
export function streamOf({ role }: StreamLine, streams: readonly Stream[]): Stream | undefined {
  return streams.find((stream) => stream.role === role || stream.role === 'shared');
}
