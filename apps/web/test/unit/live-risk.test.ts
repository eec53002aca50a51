import type { TelemetryEvent } from '@spillway/shared/api/events';
import type { Alert, GovernorView, Signal } from '@spillway/shared/api/governor';
import { describe, expect, it } from 'vitest';
import { isSuspect, liveAtRisk, ownFirst } from '../../src/features/now/model/live-risk.ts';
import { LiveStore } from '../../src/features/telemetry/model/live-store.ts';

const t0 = 1_800_000_000_000;
const wellGoverned: GovernorView = {
  at: new Date(t0).toISOString(),
  hardStop: null,
  ceilings: [],
  floorEventsPerSecond: 0,
  adaptivePhase: 'avoidance',
  storm: false,
  signals: [],
  safeRate: { eventsPerSecond: null, why: '' },
};
const breached: Signal = {
  name: 'storeCommitMsP99',
  title: 'Store commit latency p99',
  kind: 'measured',
  value: 400,
  ageMs: 100,
  target: 50,
  worseWhen: 'above',
  failMode: 'bad',
  verdict: 'breached',
  detail: null,
};
const raised = {
  code: 'live_at_risk',
  subject: 'storeCommitMsP99',
  raisedAt: new Date(t0 - 5_000).toISOString(),
  clearedAt: null,
} as Alert;

function heard(governors: Readonly<Record<string, Partial<GovernorView>>>) {
  const store = new LiveStore();
  store.setConnection('open');
  for (const [pipelineId, governor] of Object.entries(governors))
    store.receive(
      {
        pipelineId,
        at: t0,
        values: { liveFreshnessMsP99: 20, liveEventsPerSecond: 100 },
        replay: { of: 'applied', eventsPerSecond: 0, backfills: [] },
        stages: { at: new Date(t0).toISOString(), stages: [], bottleneck: null, causeChain: [] },
        streams: [],
        markers: [],
        governor: { ...wellGoverned, ...governor },
      } satisfies TelemetryEvent,
      t0,
    );
  store.flush();
  return store;
}
const both = [
  { id: 'flights', external: false, alerts: [] },
  { id: 'orders', external: false, alerts: [] },
];

describe('the mark of every screen', () => {
  it('is not there while live is well, or not known', () => {
    expect(liveAtRisk(heard({ flights: {}, orders: {} }).getSnapshot(), both)).toBeNull();
    expect(liveAtRisk(heard({}).getSnapshot(), both)).toBeNull();
    expect(liveAtRisk(heard({ flights: { hardStop: 'the store is gone' } }).getSnapshot(), [])).toBeNull();
  });

  it('names the pipeline that is at risk, and keeps naming it when nothing is heard any more', () => {
    const store = heard({ flights: {}, orders: { hardStop: 'the store has not answered for 3 s' } });
    expect(liveAtRisk(store.getSnapshot(), both)).toBe('orders');
    store.setConnection('dropped');
    store.flush();
    expect(liveAtRisk(store.getSnapshot(), both)).toBe('orders');
  });

  it('takes a breach for a risk when its alert is raised, as the sentence does, and asks for alerts only then', () => {
    const { pipelines, ...rest } = heard({ flights: { signals: [breached] }, orders: {} }).getSnapshot();
    expect([isSuspect(pipelines['flights']), isSuspect(pipelines['orders'])]).toEqual([true, false]);
    expect(isSuspect(undefined)).toBe(false);
    const judged = (alerts: readonly Alert[] | null) =>
      liveAtRisk({ pipelines, ...rest }, [{ id: 'flights', external: false, alerts }]);
    expect([judged(null), judged([]), judged([raised])]).toEqual([null, null, 'flights']);
  });
});

it('a signal that cannot be read is worth asking for the alerts: an applier that has stopped measures nothing', () => {
  const unread: Signal = { ...breached, value: null, verdict: 'unknown' };
  const snapshot = heard({ flights: { signals: [unread] } }).getSnapshot();
  expect(isSuspect(snapshot.pipelines['flights'])).toBe(true);
  const ignored = heard({ flights: { signals: [{ ...unread, failMode: 'ignore' }] } }).getSnapshot();
  expect(isSuspect(ignored.pipelines['flights'])).toBe(false);
  const stopped = { code: 'applier_stopped', subject: 'live', severity: 'critical', detail: '' } as Alert;
  const alerts = [{ ...raised, ...stopped }];
  expect(liveAtRisk(snapshot, [{ id: 'flights', external: false, alerts }])).toBe('flights');
});

it('of an external pipeline replay that is stopped is no risk of live', () => {
  const snapshot = heard({ orders: { hardStop: 'there is no stream orders' } }).getSnapshot();
  const judged = (external: boolean) => liveAtRisk(snapshot, [{ id: 'orders', external, alerts: [] }]);
  expect([judged(false), judged(true)]).toEqual(['orders', null]);
});

it('of several at risk the one that the screen is about is named, else the first', () => {
  const stopped = { hardStop: 'the store has not answered for 3 s' };
  const snapshot = heard({ flights: stopped, orders: stopped }).getSnapshot();
  const named = (own: string | undefined) => liveAtRisk(snapshot, ownFirst(both, own));
  expect([named('orders'), named('flights'), named('another'), named(undefined)]).toEqual([
    'orders',
    'flights',
    'flights',
    'flights',
  ]);
});
