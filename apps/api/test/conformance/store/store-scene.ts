/** A test of the store: names that nothing else has, events of them, and what the store says of them. */
import { expect } from 'vitest';
import type { PipelineEvent } from '../../../src/data-plane/event.ts';
import type {
  ApplyOutcome,
  Publisher,
  Store,
  StreamOffset,
  TimeRange,
} from '../../../src/data-plane/ports.ts';
import type { StoreOracle } from './store-oracle.ts';

export interface StoreHarness {
  /** Another handle on the same database, as another process would have it. */
  open(): Promise<Store>;
  /** Past the store. */
  sql(statement: string): Promise<Record<string, unknown>[]>;
  readonly commitsSideBySide: boolean;
  kill(): Promise<void>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

export const HOUR_MS = 3_600_000;
export const JANUARY = Date.UTC(2001, 0);
export const ALL: TimeRange = { from: JANUARY, to: Date.UTC(2001, 3) };
export const LIVE: Publisher = { kind: 'live' };

export function from(backfillId: string): Publisher {
  return { kind: 'backfill', backfillId };
}

export function offset(number: number): StreamOffset {
  return String(number).padStart(16, '0');
}

export type StoreScene = ReturnType<typeof sceneOf>;

/** `number` is of this test alone. */
export function sceneOf(harness: StoreHarness, store: Store, number: number) {
  const [source, stream, backfill] = [`source-${number}`, `stream-${number}`, `backfill-${number}`] as const;

  function event(of: number, more: Partial<PipelineEvent> = {}): PipelineEvent {
    return {
      id: `flights.parquet#${source}-${of}`,
      sourceId: source,
      key: 'LAX',
      at: JANUARY + of * 60_000,
      value: of,
      ...more,
    };
  }

  function events(first: number, count: number): PipelineEvent[] {
    return Array.from({ length: count }, (_, index) => event(first + index));
  }

  async function writer(on: Store = store, onStream: string = stream) {
    const { fence, position } = await on.claim(onStream);
    let last = position === null ? 0 : Number(position);
    return {
      fence,
      position,
      apply: (publisher: Publisher, batch: readonly PipelineEvent[]): Promise<ApplyOutcome> =>
        on.apply({
          stream: onStream,
          fence,
          publisher,
          events: batch,
          position: offset((last += Math.max(1, batch.length))),
        }),
    };
  }

  function bucketsOf(sourceId: string = source) {
    return store.buckets({ sourceIds: [sourceId], range: ALL, key: null, limit: 10_000, after: null });
  }

  async function positionOf(onStream: string = stream): Promise<unknown> {
    const [row] = await harness.sql(
      `select position from spillway.stream_positions where stream = '${onStream}'`,
    );
    return row?.['position'];
  }

  /** Invariant 1: what the events say, what the buckets say, and what we say. */
  async function expectProven(oracle: StoreOracle, sourceId: string = source): Promise<void> {
    const proof = await store.proof({ sourceId, range: ALL });
    const byPlace = (digests: readonly { key: string; start: number }[]) =>
      [...digests].sort((a, b) => a.start - b.start || (a.key < b.key ? -1 : 1));
    const expected = byPlace(
      oracle
        .buckets()
        .filter((bucket) => bucket.sourceId === sourceId)
        .map(({ key, start, count, sum, hash }) => ({ key, start, count, sum, hash })),
    );
    expect(byPlace(proof.events)).toEqual(expected);
    expect(byPlace(proof.buckets)).toEqual(expected);
  }

  return {
    harness,
    store,
    source,
    stream,
    backfill,
    event,
    events,
    writer,
    bucketsOf,
    positionOf,
    expectProven,
  };
}
