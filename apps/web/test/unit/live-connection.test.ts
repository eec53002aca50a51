import type { Pipeline } from '@spillway/shared/api/pipeline';
import { QueryClient } from '@tanstack/react-query';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { pipelinesQuery } from '../../src/features/pipeline/api/list-pipelines.ts';
import { LiveConnection } from '../../src/features/telemetry/model/live-connection.ts';

/** What the browser would open. */
class Opened extends EventTarget {
  static all: Opened[] = [];
  readonly url: string;
  closed = false;
  constructor(url: string) {
    super();
    this.url = url;
    Opened.all.push(this);
  }
  close() {
    this.closed = true;
  }
}

beforeEach(() => {
  Opened.all = [];
  vi.useFakeTimers();
  vi.stubGlobal('EventSource', Opened);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it('has one stream, however often it is opened', () => {
  const connection = new LiveConnection(new QueryClient());
  connection.open();
  connection.open();
  expect(Opened.all.map(({ url }) => url)).toEqual(['/v1/events']);
  connection.close();
  expect(Opened.all.every(({ closed }) => closed)).toBe(true);
});

it('keeps nothing of what it said for whoever opens it next', () => {
  const connection = new LiveConnection(new QueryClient());
  connection.open();
  const before = connection.store;
  const [stream] = Opened.all;
  const data = {
    pipelineId: 'flights',
    at: '2026-01-01T00:00:00Z',
    values: {},
    replay: { of: 'applied', eventsPerSecond: null, backfills: [] },
    streams: [],
    stages: null,
    governor: null,
    markers: [],
  };
  stream?.dispatchEvent(new MessageEvent('telemetry', { data: JSON.stringify(data) }));
  expect(before.getSnapshot().receivedAtMs).not.toBe(null);
  connection.close();
  connection.open();
  expect(Opened.all).toHaveLength(2);
  expect(connection.store).not.toBe(before);
  expect(connection.store.getSnapshot().receivedAtMs).toBe(null);
  connection.close();
});

it('hears of a pipeline that is new, and of one that has changed', () => {
  const queries = new QueryClient();
  const connection = new LiveConnection(queries);
  const tell = (pipeline: object) =>
    Opened.all[0]?.dispatchEvent(new MessageEvent('pipeline', { data: JSON.stringify({ pipeline }) }));
  const known = () => queries.getQueryData(pipelinesQuery.queryKey);
  connection.open();
  tell({ id: 'orders', title: 'Orders' });
  expect(known(), 'which others there are is not known').toBeUndefined();
  queries.setQueryData(pipelinesQuery.queryKey, [{ id: 'flights', title: 'Flights' } as Pipeline]);
  tell({ id: 'orders', title: 'Orders' });
  tell({ id: 'flights', title: 'US flights' });
  expect(known()).toEqual([
    { id: 'flights', title: 'US flights' },
    { id: 'orders', title: 'Orders' },
  ]);
  connection.close();
});

it('hears of a pipeline that was removed, and has what went with it read again', () => {
  const queries = new QueryClient();
  const connection = new LiveConnection(queries);
  const [orders, flights] = ['orders', 'flights'].map((id) => ({ id, title: id }) as Pipeline);
  queries.setQueryData(pipelinesQuery.queryKey, [orders as Pipeline, flights as Pipeline]);
  const others = [['sources'], ['backfills', {}], ['backfill', 'bf_1', 'ledger'], ['tokens']];
  for (const queryKey of others) queries.setQueryData(queryKey, {});
  connection.open();
  const data = JSON.stringify({ pipelineId: 'orders' });
  Opened.all[0]?.dispatchEvent(new MessageEvent('pipeline_removed', { data }));
  expect(queries.getQueryData(pipelinesQuery.queryKey)).toEqual([flights]);
  expect(others.map((queryKey) => queries.getQueryState(queryKey)?.isInvalidated)).toEqual([
    ...[true, true, true, false],
  ]);
  connection.close();
});

it('tells whoever waits for it that the first telemetry has come', async () => {
  const connection = new LiveConnection(new QueryClient());
  connection.open();
  let heard = false;
  const waiting = connection.heard().then(() => {
    heard = true;
  });
  await Promise.resolve();
  expect(heard).toBe(false);
  const data = {
    ...{ pipelineId: 'flights', at: '2026-01-01T00:00:00Z', values: {}, streams: [] },
    ...{ stages: null, governor: null, markers: [] },
    replay: { of: 'applied', eventsPerSecond: null, backfills: [] },
  };
  Opened.all[0]?.dispatchEvent(new MessageEvent('telemetry', { data: JSON.stringify(data) }));
  await waiting;
  await connection.heard();
  expect(heard).toBe(true);
  connection.close();
});
