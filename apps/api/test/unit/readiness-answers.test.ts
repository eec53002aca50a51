/** Each question of the checklist, from facts made up one by one: what is yes, what is no, what nobody can know, and on which evidence. */
import type { Drill } from '@spillway/shared/api/governor';
import { type ReadinessAnswer, type ReadinessId, readinessIds } from '@spillway/shared/api/readiness';
import { expect, it } from 'vitest';
import type { ReadinessFacts } from '../../src/control-plane/readiness/facts.ts';
import {
  before,
  type Change,
  DAY_MS,
  drill,
  freshness,
  HOUR_MS,
  itemOf,
  nowMs,
  proof,
  ready,
  source,
} from '../fixtures/ready-pipeline.ts';

const limit = (part: { eventsPerSecond?: number; share?: number }) => ({
  limits: [{ backfillId: 'bf_7', eventsPerSecond: null, share: null, ...part }],
});
const drilled = (change: Partial<Drill>) => ({ drills: [{ ...drill, ...change }] });
const keeps = (change: Partial<NonNullable<NonNullable<ReadinessFacts['stream']>['keeps']>>) =>
  ({ ms: null, entries: null, bytes: null, ...change }) as const;
const stream = (change: Partial<NonNullable<ReadinessFacts['stream']>>) => ({
  stream: { ...(ready.stream as NonNullable<ReadinessFacts['stream']>), ...change },
});
const role = (working: number, standby = 0) => ({ working, standby, heardMs: working === 0 ? null : 100 });
const ofFreshness = (change: Partial<typeof freshness>) => ({ signals: [{ ...freshness, ...change }] });

const external = { external: true } as const;
const cases: readonly (readonly [ReadinessId, ReadinessAnswer, string, Change])[] = [
  ['rate_explicit', 'yes', 'gets 50 % of the capacity, 10,000 events/s of 20,000 events/s', {}],
  [
    'rate_explicit',
    'yes',
    '1 of 1 unfinished backfill has a limit of its own',
    limit({ eventsPerSecond: 300 }),
  ],
  [
    'rate_explicit',
    'yes',
    'not measured yet: until then all replay together is held to 500 events/s',
    { pipeline: { capacityEventsPerSecond: null } },
  ],
  [
    'live_fresh',
    'unknown',
    'Not measured here: the consumers are your own',
    { ...external, pipeline: { signals: {} } },
  ],
  ['live_first', 'unknown', 'which of the two its consumers serve first is their affair', external],
  [
    'live_first',
    'no',
    'it waits behind what replay has published',
    { ...external, pipeline: { route: 'shared' } },
  ],
  [
    'workers_present',
    'yes',
    '2 replay workers',
    { ...external, workers: { ...ready.workers, apply: role(0) } },
  ],
  [
    'workers_spare',
    'yes',
    '2 replay workers:',
    { ...external, workers: { ...ready.workers, apply: role(0) } },
  ],
  ['rate_explicit', 'no', 'the replay share is 100 %', { pipeline: { replayShare: 1 } }],
  ['rate_explicit', 'no', 'bf_7 may use all of the capacity', limit({ eventsPerSecond: 20_000 })],
  ['rate_explicit', 'no', 'bf_7 may use all of the capacity', limit({ share: 1 })],
  ['rate_explicit', 'yes', 'limit of its own', limit({ share: 1, eventsPerSecond: 19_999 })],
  ['rate_explicit', 'yes', 'limit of its own', limit({ share: 0.9, eventsPerSecond: 9_000_000 })],
  [
    'concurrency_bounded',
    'yes',
    'At most 4 sources may replay at once, over all backfills together; 2 hold a place now, with 3 runs',
    {},
  ],
  ['concurrency_bounded', 'no', 'More began before the limit was lowered', { slotsHeld: 5 }],
  ['floor_below_share', 'yes', '501 events/s of 20,000 events/s', {}],
  ['floor_below_share', 'yes', 'The floor is 0 %', { pipeline: { replayFloor: 0 } }],
  ['floor_below_share', 'no', 'live can never slow replay down', { pipeline: { replayFloor: 0.5 } }],
  ['floor_below_share', 'no', 'more than the capacity of 20,000 events/s', { liveEventsPerSecond: 19_700 }],
  ['floor_below_share', 'unknown', 'the live rate has not been measured', { liveEventsPerSecond: null }],
  [
    'floor_below_share',
    'unknown',
    'the capacity is not known',
    { pipeline: { capacityEventsPerSecond: null } },
  ],
  ['capacity_known', 'yes', '20,000 events/s, calibrated 2 d ago.', {}],
  ['capacity_known', 'yes', 'declared by hand 2 d ago', { pipeline: { capacityOrigin: 'set_by_hand' } }],
  [
    'capacity_known',
    'no',
    'declared by hand, but 20,000 events/s was measured',
    { pipeline: { capacityOrigin: 'set_by_hand', capacityEventsPerSecond: 10_000_000 } },
  ],
  [
    'floor_below_share',
    'yes',
    '501 events/s of 20,000 events/s',
    { pipeline: { capacityOrigin: 'set_by_hand', capacityEventsPerSecond: 10_000_000 } },
  ],
  ['capacity_known', 'unknown', 'Not measured yet', { pipeline: { capacityEventsPerSecond: null } }],
  [
    'capacity_known',
    'unknown',
    '31 d ago: too long ago',
    { pipeline: { capacityMeasuredAt: new Date(nowMs - 31 * DAY_MS) } },
  ],
  ['capacity_known', 'unknown', 'nobody has recorded when', { pipeline: { capacityMeasuredAt: null } }],
  ['live_fresh', 'yes', 'Live freshness, p99, is 12 ms, measured 200 ms ago; its target is 100 ms.', {}],
  ['live_fresh', 'yes', 'its target is 100 ms', ofFreshness({ verdict: 'near', value: 95 })],
  ['live_fresh', 'yes', 'No live event waits', ofFreshness({ value: null, ageMs: null })],
  [
    'live_fresh',
    'no',
    'is 1.7 s, measured 200 ms ago: beyond its target of 100 ms',
    ofFreshness({ value: 1_700, verdict: 'breached' }),
  ],
  [
    'live_fresh',
    'unknown',
    'cannot be read: the clock is ahead.',
    ofFreshness({ value: null, verdict: 'unknown', detail: 'the clock is ahead' }),
  ],
  ['live_fresh', 'unknown', 'The governor has not looked', { signals: null }],
  ['live_fresh', 'no', 'has no target', { pipeline: { signals: {} } }],
  [
    'live_fresh',
    'no',
    'is left out when it cannot be read',
    { pipeline: { signals: { liveFreshnessMsP99: { target: 100, failMode: 'ignore' } } } },
  ],
  ['live_first', 'yes', 'Decided: “Live never queues behind replay.”', {}],
  ['live_first', 'yes', 'within 100 ms', { pipeline: { route: 'shared' } }],
  ['live_first', 'no', 'no signal holds replay back', { pipeline: { route: 'shared', signals: {} } }],
  ['live_first', 'no', 'Nobody has written down why', { pipeline: { routeDecision: ' ' } }],
  ['signals_read', 'yes', '1 signal has a target, and it is read: Live freshness, p99.', {}],
  [
    'signals_read',
    'no',
    '1 signal of 2 with a target cannot be read: Disk queue (connection refused; left out).',
    {
      signals: [
        freshness,
        {
          ...freshness,
          name: 'pb_1',
          title: 'Disk queue',
          value: null,
          verdict: 'unknown',
          failMode: 'ignore',
          detail: 'connection refused',
        },
      ],
    },
  ],
  ['signals_read', 'no', 'No signal has a target', ofFreshness({ target: null, verdict: 'ungoverned' })],
  ['signals_read', 'unknown', 'has not looked', { signals: null }],
  [
    'stall_stops_replay',
    'yes',
    'In the fire drill 1 h ago the store stood still for 8 s; replay had stopped 1 s after that, and all was normal again 1.5 s after the release.',
    {},
  ],
  [
    'stall_stops_replay',
    'yes',
    'replay had stopped before it began',
    drilled({ readerStoppedAt: before(HOUR_MS + 40), governorStoppedAt: null }),
  ],
  [
    'stall_stops_replay',
    'unknown',
    'replay was not seen to stop. No replay was running.',
    drilled({ readerStoppedAt: null, governorStoppedAt: null, detail: 'No replay was running.' }),
  ],
  [
    'stall_stops_replay',
    'no',
    'not all became normal again. Live was late.',
    drilled({ recoveredAt: null, detail: 'Live was late.' }),
  ],
  ['stall_stops_replay', 'unknown', 'No fire drill has been run', { drills: [] }],
  [
    'stall_stops_replay',
    'unknown',
    'The first fire drill is under way',
    drilled({ state: 'stalling', releasedAt: null }),
  ],
  [
    'stall_stops_replay',
    'unknown',
    'the last, 1 h ago, failed: somebody else has the lock.',
    drilled({ state: 'failed', stalledAt: null, detail: 'somebody else has the lock' }),
  ],
  ['stall_stops_replay', 'unknown', 'too long ago', drilled({ requestedAt: before(31 * DAY_MS) })],
  [
    'stall_stops_replay',
    'yes',
    'In the fire drill 1 h ago',
    { drills: [{ ...drill, id: 'dr_2', state: 'recovering', recoveredAt: null }, drill] },
  ],
  [
    'backpressure_reaches_reader',
    'yes',
    'the reader stopped at its gate 2.5 s after that, with at most 20,013 entries on the stream',
    {},
  ],
  [
    'backpressure_reaches_reader',
    'unknown',
    'the reader did not come to its gate. A drill with a lower high-water mark',
    drilled({ readerStoppedAt: null }),
  ],
  ['backpressure_reaches_reader', 'no', 'not all became normal again', drilled({ recoveredAt: null })],
  ['backpressure_reaches_reader', 'unknown', 'No fire drill has been run', { drills: [] }],
  [
    'stream_holds_peak',
    'yes',
    'The reader stops at 20,000 entries, with 400 there now; what is not applied is never trimmed',
    {},
  ],
  [
    'stream_holds_peak',
    'yes',
    'of the 50,000 entries that retention keeps',
    stream({ keeps: keeps({ entries: 50_000 }) }),
  ],
  ['stream_holds_peak', 'no', 'That is 200 % of it.', stream({ keeps: keeps({ entries: 10_000 }) })],
  ['stream_holds_peak', 'no', 'That is 160 % of it.', stream({ keeps: keeps({ bytes: 2_000_000 }) })],
  [
    'stream_holds_peak',
    'unknown',
    'nothing is on the stream',
    stream({ length: 0, lengthBytes: 0, keeps: keeps({ bytes: 2_000_000 }) }),
  ],
  ['stream_holds_peak', 'no', 'That is 200 % of it.', stream({ keeps: keeps({ ms: 500 }) })],
  [
    'stream_holds_peak',
    'unknown',
    'not known without a capacity',
    { ...stream({ keeps: keeps({ ms: 500 }) }), pipeline: { capacityEventsPerSecond: null } },
  ],
  ['stream_holds_peak', 'unknown', 'No applier has reported', { stream: null }],
  [
    'stream_holds_peak',
    'unknown',
    'with 400 there now, kept for how long nobody says, as accepted.',
    stream({ accepted: ['retention'], retention: 'for how long nobody says, as accepted' }),
  ],
  [
    'stream_holds_peak',
    'unknown',
    'kept at most 5242880 bytes: how large an entry is the server does not tell.',
    stream({
      accepted: ['retention'],
      retention: 'at most 5242880 bytes',
      lengthBytes: null,
      keeps: keeps({ bytes: 5_242_880 }),
    }),
  ],
  ['stream_holds_peak', 'yes', 'retention does not limit it', stream({ accepted: ['untrimmed'] })],
  [
    'pause_is_safe',
    'yes',
    'For as long as it takes: 400 entries wait on flights-replay, kept until every consumer group has finished with it.',
    {},
  ],
  [
    'pause_is_safe',
    'yes',
    'For 3 h 12 min: 1 entry waits',
    stream({ safePausedForMs: 11_520_000, consumerLag: 1, keeps: keeps({ ms: 4 * HOUR_MS }) }),
  ],
  ['pause_is_safe', 'no', 'For 30 s', stream({ safePausedForMs: 30_000, keeps: keeps({ ms: 4 * HOUR_MS }) })],
  [
    'pause_is_safe',
    'unknown',
    'How much waits on flights-replay could not be read',
    stream({ length: null }),
  ],
  ['pause_is_safe', 'unknown', 'No applier has reported', { stream: null }],
  [
    'pause_is_safe',
    'unknown',
    'Nobody can tell for how long: 400 entries wait on flights-replay, kept for how long nobody says, as accepted.',
    stream({ accepted: ['retention'], retention: 'for how long nobody says, as accepted' }),
  ],
  [
    'pause_is_safe',
    'unknown',
    'For at most 3 h 12 min',
    stream({
      accepted: ['retention'],
      safePausedForMs: 11_520_000,
      keeps: keeps({ ms: 4 * HOUR_MS, bytes: 1 }),
    }),
  ],
  [
    'pause_is_safe',
    'no',
    'For at most 30 s',
    stream({ accepted: ['retention'], safePausedForMs: 30_000, keeps: keeps({ ms: 4 * HOUR_MS, bytes: 1 }) }),
  ],
  ['pause_is_safe', 'yes', 'For as long as it takes', stream({ accepted: ['untrimmed'] })],
  ['history_counted', 'yes', '2 sources hold 3,000 events, counted 1 h ago.', {}],
  [
    'history_counted',
    'yes',
    '1 source holds about 9 events, estimated 1 h ago.',
    {
      sources: [
        {
          ...source,
          counted: { atMs: nowMs - HOUR_MS, exact: false, events: { low: 1, likely: 9, high: 20 } },
        },
      ],
    },
  ],
  [
    'history_counted',
    'yes',
    'holds a number of events that is not known, counted just now',
    { sources: [{ ...source, counted: { atMs: nowMs, exact: true, events: null } }] },
  ],
  ['history_counted', 'unknown', '1 of 1 source has not been counted yet: east.', { sources: [source] }],
  [
    'history_counted',
    'no',
    'east: the file is gone.',
    { sources: [{ ...source, failure: 'the file is gone.' }] },
  ],
  ['history_counted', 'no', 'no source', { sources: [] }],
  ['cost_known', 'yes', 'Version 2 of the price book, in USD, by mira 3 d ago', {}],
  [
    'cost_known',
    'no',
    'is the example of 2026-11-01, unchanged',
    {
      priceBook: {
        ...(ready.priceBook as NonNullable<ReadinessFacts['priceBook']>),
        exampleOf: '2026-11-01',
      },
    },
  ],
  ['cost_known', 'no', 'There is no price book', { priceBook: null }],
  ['reconnects_bounded', 'yes', 'waits for a random part of 5 s; at most 4 sources replay at once', {}],
  ['reconnects_bounded', 'yes', '1 reconnect waits now.', { queuedReconnects: 1 }],
  [
    'reconnects_bounded',
    'no',
    'The reconnect stagger is 0 s: 2 sources that come back together start together',
    { pipeline: { reconnectStaggerMs: 0 } },
  ],
  [
    'reconnects_bounded',
    'yes',
    'There is one source',
    { pipeline: { reconnectStaggerMs: 0 }, sources: [source] },
  ],
  [
    'proof_matched',
    'yes',
    'The one finished backfill matched the source in 744 buckets, the newest 2 h ago.',
    {},
  ],
  [
    'proof_matched',
    'no',
    'after bf_9, of the last 2 finished',
    { proofs: [...ready.proofs, { ...proof, state: 'mismatched' }] },
  ],
  [
    'proof_matched',
    'unknown',
    'nothing could be proved: bf_9',
    { proofs: [...ready.proofs, { ...proof, state: 'unavailable' }] },
  ],
  ['proof_matched', 'unknown', 'No backfill has been proved yet', { proofs: [] }],
  [
    'workers_present',
    'yes',
    '2 replay workers, last heard 120 ms ago; 1 apply worker, last heard 80 ms ago; 1 feed worker',
    {},
  ],
  [
    'workers_present',
    'no',
    'No apply worker ticks: nothing is applied',
    { workers: { ...ready.workers, apply: role(0) } },
  ],
  [
    'workers_present',
    'no',
    'No feed worker ticks: no live event comes. The feed runs with `pnpm start`.',
    { workers: { ...ready.workers, feed: role(0) } },
  ],
  [
    'workers_present',
    'no',
    'No replay worker ticks: nothing is replayed. No apply worker ticks: nothing is applied, live neither. `pnpm worker --role replay` and `pnpm worker --role apply` join one each from any machine',
    { workers: { ...ready.workers, replay: role(0), apply: role(0) } },
  ],
  [
    'workers_spare',
    'no',
    'No replay worker; no apply worker, and none standing by. Who is missing comes before a spare.',
    { workers: { ...ready.workers, replay: role(0), apply: role(0) } },
  ],
  [
    'history_counted',
    'unknown',
    'not been counted yet: east. No replay worker is at work to count them.',
    { sources: [source], workers: { ...ready.workers, replay: role(0) } },
  ],
  [
    'workers_present',
    'yes',
    'apply worker',
    { workers: { ...ready.workers, feed: role(0) }, pipeline: { liveEventsPerSecond: null } },
  ],
  ['workers_spare', 'yes', 'another goes on at once', {}],
  ['workers_spare', 'no', '`pnpm worker --role replay`', { workers: { ...ready.workers, replay: role(1) } }],
  ['workers_spare', 'no', '`pnpm worker --role apply`', { workers: { ...ready.workers, apply: role(1) } }],
  ['alerts_quiet', 'yes', 'the last one was cleared 5 min ago', {}],
  ['alerts_quiet', 'yes', 'none is on record', { alertClearedAt: null }],
  [
    'alerts_quiet',
    'no',
    '1 alert is raised; the newest 1 h ago: Replay storm.',
    { raisedAlerts: [{ detail: 'Replay storm.', raisedAt: before(HOUR_MS) }] },
  ],
  [
    'alerts_quiet',
    'no',
    'More than 2 alerts are raised; the newest 1 h ago',
    {
      raisedAlerts: [1, 2].map((hours) => ({ detail: 'Storm.', raisedAt: before(hours * HOUR_MS) })),
      moreAlerts: true,
    },
  ],
  ['telemetry_kept', 'yes', 'the last one just now; the record goes back 3 d', {}],
  [
    'telemetry_kept',
    'no',
    'The last second was recorded 1 min ago',
    { recorded: { from: nowMs - DAY_MS, to: nowMs - 60_000 } },
  ],
  ['telemetry_kept', 'no', 'Nothing has been recorded', { recorded: null }],
  ['tokens_last', 'yes', '1 token is in force; the next ends in 60 d.', {}],
  ['tokens_last', 'yes', 'No token has been made', { tokenEnds: [] }],
  [
    'tokens_last',
    'no',
    '1 of 2 tokens in force ends within 14 days; the next ends in 3 d.',
    { tokenEnds: [nowMs + 60 * DAY_MS, nowMs + 3 * DAY_MS] },
  ],
];

it.each(cases)('%s: %s, %s', (id, answer, evidence, change) => {
  const item = itemOf(id, change);
  expect([item.answer, item.evidence]).toEqual([answer, expect.stringContaining(evidence)]);
});

it('has been seen to be answered yes, and otherwise', () => {
  for (const id of readinessIds) {
    const answers = cases.filter(([of]) => of === id).map(([, answer]) => answer);
    expect(answers, id).toContain('yes');
    expect(
      answers.some((answer) => answer !== 'yes'),
      id,
    ).toBe(true);
  }
});

it('to a fire drill leads no link where there is none', () => {
  expect(itemOf('stall_stops_replay', external).setting).toBeNull();
  expect(itemOf('stall_stops_replay', {}).setting).toContain('#drills');
});
