import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { GovernorView } from '@spillway/shared/api/governor';
import type { Marker, ReplayRate, Stages, Streams, Telemetry } from '@spillway/shared/api/pipeline';
import type { Static } from 'typebox';
import type { StreamState } from './event-stream.ts';
import { RateHistory } from './rate-history.ts';
import { RingBuffer } from './ring-buffer.ts';

export type MarkerEntry = Static<typeof Marker>;

/** What is known of one pipeline at the last flush. */
export interface PipelineSnapshot {
  readonly ring: RingBuffer;
  /** Epoch ms by the server's clock: the end of the newest second; null until one has arrived. */
  readonly atMs: number | null;
  readonly values: Readonly<Record<string, number | null>>;
  /** How fast replay runs, and what of it is whose. Null: not told. */
  readonly replay: ReplayRate | null;
  readonly stages: Stages | null;
  readonly streams: Streams['items'];
  readonly markers: readonly MarkerEntry[];
  /** Null until the governor has looked at the pipeline. */
  readonly governor: GovernorView | null;
}

export interface LiveSnapshot {
  /** Rises with every flush, so that memoised charts know that the ring has moved. */
  readonly version: number;
  readonly connection: StreamState;
  /** When the newest telemetry arrived, epoch ms by this computer's clock; null before the first. */
  readonly receivedAtMs: number | null;
  readonly pipelines: Readonly<Record<string, PipelineSnapshot>>;
}

/** Telemetry older than this is shown as stale: the server sends one a second. */
export const staleAfterMs = 4_000;
const ringSeconds = 3_700;
const maxMarkers = 200;

/**
 * Everything the event stream has said, outside React. Writes are cheap and silent; `flush` makes one new snapshot and tells
 * the listeners, and is called once a second however many events have arrived.
 */
export class LiveStore {
  /** Of each backfill; charts of it render when its rate does. */
  readonly rates = new RateHistory();
  readonly #listeners = new Set<() => void>();
  readonly #pipelines = new Map<string, PipelineSnapshot>();
  #connection: StreamState = 'connecting';
  #receivedAtMs: number | null = null;
  #serverAheadMs: number | null = null;
  #dirty = false;
  #snapshot: LiveSnapshot = { version: 0, connection: 'connecting', receivedAtMs: null, pipelines: {} };

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly getSnapshot = (): LiveSnapshot => this.#snapshot;

  setConnection(connection: StreamState): void {
    if (connection === this.#connection) return;
    this.#connection = connection;
    this.#dirty = true;
  }

  receive(event: TelemetryEvent, receivedAtMs: number): void {
    const before = this.#pipeline(event.pipelineId);
    before.ring.write(event.at, event.values);
    if (event.replay.eventsPerSecond !== null)
      for (const { backfillId, eventsPerSecond } of event.replay.backfills)
        this.rates.write(backfillId, event.at, eventsPerSecond);
    this.#receivedAtMs = receivedAtMs;
    this.#serverAheadMs = event.at - receivedAtMs;
    this.#pipelines.set(event.pipelineId, {
      ring: before.ring,
      atMs: event.at,
      values: event.values,
      replay: event.replay,
      stages: event.stages,
      streams: event.streams,
      markers: mergeMarkers(before.markers, event.markers),
      governor: event.governor ?? null,
    });
    this.#dirty = true;
  }

  /** The server's clock, epoch ms, by the newest second it has told of; null before the first. */
  serverMs(nowMs: number): number | null {
    return this.#serverAheadMs === null ? null : nowMs + this.#serverAheadMs;
  }

  /** Recorded telemetry, for charts that begin before this tab did. Never changes the current values. */
  receiveHistory(pipelineId: string, history: Telemetry): void {
    const before = this.#pipeline(pipelineId);
    const rows = new Map<number, Record<string, number | null>>();
    for (const [name, points] of Object.entries(history.series)) {
      for (const [at, value] of points) {
        // A coarse point fills in what is not known to the second; it never overwrites a second.
        if (value === null || !Number.isNaN(before.ring.read(name, Math.floor(at / 1_000)))) continue;
        const row = rows.get(at) ?? {};
        row[name] = value;
        rows.set(at, row);
      }
    }
    for (const at of [...rows.keys()].sort((a, b) => a - b)) before.ring.write(at, rows.get(at) ?? {});
    this.#pipelines.set(pipelineId, { ...before, markers: mergeMarkers(before.markers, history.markers) });
    this.#dirty = true;
  }

  /** False when there was nothing to tell. */
  flush(): boolean {
    if (!this.#dirty) return false;
    this.#dirty = false;
    this.#snapshot = {
      version: this.#snapshot.version + 1,
      connection: this.#connection,
      receivedAtMs: this.#receivedAtMs,
      pipelines: Object.fromEntries(this.#pipelines),
    };
    for (const listener of this.#listeners) listener();
    return true;
  }

  #pipeline(id: string): PipelineSnapshot {
    return (
      this.#pipelines.get(id) ?? {
        ring: new RingBuffer(ringSeconds),
        atMs: null,
        values: {},
        replay: null,
        stages: null,
        streams: [],
        markers: [],
        governor: null,
      }
    );
  }
}

function mergeMarkers(before: readonly MarkerEntry[], added: readonly MarkerEntry[]): readonly MarkerEntry[] {
  if (added.length === 0) return before;
  const keyOf = (marker: MarkerEntry) => `${marker.at} ${marker.action} ${marker.backfillId ?? ''}`;
  const byKey = new Map(before.map((marker) => [keyOf(marker), marker]));
  for (const marker of added) byKey.set(keyOf(marker), marker);
  return [...byKey.values()].sort((a, b) => Date.parse(a.at) - Date.parse(b.at)).slice(-maxMarkers);
}

/** Whether what is on the screen may be believed to be the present. */
export function isStale(snapshot: LiveSnapshot, nowMs: number): boolean {
  return (
    snapshot.connection !== 'open' ||
    snapshot.receivedAtMs === null ||
    nowMs - snapshot.receivedAtMs > staleAfterMs
  );
}

/** A second ends, is sent, and is shown with the next flush: so much later than its end it may be when it is received. */
const underWayMs = 2_000;

/**
 * What the server's clock certainly does not stand beyond, epoch ms, whatever this computer's says: the newest second of the pipeline and
 * what has passed since it came. Null before the first.
 */
export function serverAtMostMs(
  { receivedAtMs, pipelines }: LiveSnapshot,
  pipelineId: string,
  nowMs: number,
): number | null {
  const atMs = pipelines[pipelineId]?.atMs ?? null;
  return atMs === null || receivedAtMs === null
    ? null
    : atMs + Math.max(0, nowMs - receivedAtMs) + underWayMs;
}
