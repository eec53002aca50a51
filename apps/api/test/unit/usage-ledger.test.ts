import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { Tick } from '@spillway/shared/api/worker-protocol';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { Traffic } from '../../src/adapters/store-postgres/traffic.ts';
import { CpuCharge } from '../../src/data-plane/meter/cpu.ts';
import { scanUse } from '../../src/data-plane/meter/scan-use.ts';
import { StreamHolding } from '../../src/data-plane/meter/stream-holding.ts';
import { TrafficCharge } from '../../src/data-plane/meter/traffic.ts';
import { UsageLedger } from '../../src/data-plane/meter/usage-ledger.ts';

let nowMs = 1_000;
const clock = { now: () => 0, monotonic: () => nowMs };
const live = { pipelineId: 'flights', backfillId: null };
const one = { pipelineId: 'flights', backfillId: 'bf_1' };
const two = { pipelineId: 'flights', backfillId: 'bf_2' };

test('traffic of a store that is elsewhere is shared; of one that is here there is none', () => {
  const ledger = new UsageLedger(clock);
  let bytes = 0;
  const traffic = new TrafficCharge(ledger, { networkBytes: () => bytes });
  traffic.charge('flights');
  expect(ledger.report().usage).toEqual([]);
  bytes = 700;
  traffic.charge(null);
  traffic.charge('flights');
  traffic.charge('flights');
  bytes = 900;
  traffic.charge('flights');
  expect(ledger.report().usage[0]?.shared).toEqual({ egressBytes: '900' });
});

test('what is read over the network is egress of where it lies', () => {
  const scan = { requests: 2, bytes: 500 };
  expect(scanUse({ reach: 'local' }, scan)).toEqual({ sourceRequests: 2, sourceBytes: 500 });
  expect(scanUse({ reach: 'network' }, scan)).toEqual({
    sourceRequests: 2,
    sourceBytes: 500,
    egressBytes: 500,
  });
});

test('a connection counts when it leaves the machine, also after it has closed', () => {
  const socket = (remoteAddress: string | undefined, bytes: number) =>
    Object.assign(new EventEmitter(), {
      remoteAddress,
      bytesRead: bytes,
      bytesWritten: 1,
    }) as unknown as Socket;
  const traffic = new Traffic();
  for (const here of [undefined, '127.0.0.1', '127.1.2.3', '::1', '::ffff:127.0.0.1'])
    traffic.watch(socket(here, 1_000));
  expect(traffic.networkBytes()).toBe(0);
  const away = socket('10.0.0.7', 100);
  traffic.watch(away);
  traffic.watch(socket('2001:db8::7', 20));
  expect(traffic.networkBytes()).toBe(122);
  away.emit('close');
  expect(traffic.networkBytes()).toBe(122);
});

test('counters are absolute, and an account is told again until it has arrived', () => {
  const ledger = new UsageLedger(clock);
  ledger.add(one, { events: 10, sourceRequests: 0 });
  const [first] = ledger.report().usage;
  expect(first).toMatchObject({
    sequence: 1,
    own: [{ backfillId: 'bf_1', use: { events: '10', sourceRequests: '0' } }],
  });
  ledger.add(one, { events: 5 });
  const lost = ledger.report();
  ledger.add(live, { streamOperations: 3 });
  const arrived = ledger.report();
  // What is added while the report is under way is not in it.
  ledger.add(live, { streamOperations: 4 });
  arrived.delivered();
  lost.delivered();
  expect(arrived.usage[0]).toMatchObject({
    series: first?.series,
    sequence: 3,
    own: [
      { backfillId: 'bf_1', use: { events: '15' } },
      { backfillId: null, use: { streamOperations: '3' } },
    ],
  });
  // What has arrived is told for a minute more: it may not have been stored.
  expect(ledger.report().usage[0]?.own).toHaveLength(2);
  nowMs += 60_000;
  expect(ledger.report().usage[0]?.own).toEqual([{ backfillId: null, use: { streamOperations: '7' } }]);
});

test('CPU is the account’s that was alone at work; of several it is shared; of none it is the pipeline’s', () => {
  const ledger = new UsageLedger(clock);
  let cpuMs = 0;
  const cpu = new CpuCharge(ledger, () => cpuMs);
  cpuMs = 5.9;
  cpu.charge([], null);
  cpu.charge([one], 'flights');
  cpuMs = 8.2;
  cpu.charge([one, two], 'flights');
  cpuMs = 9;
  cpu.charge([], 'flights');
  cpuMs = 20;
  cpu.charge([one, two, { ...two, pipelineId: 'other' }], 'flights');
  const [flights, other] = ledger.report().usage;
  expect(flights).toMatchObject({
    own: [{ backfillId: 'bf_1', use: { cpuMs: '5' } }],
    shared: { cpuMs: '11' },
  });
  expect(other).toMatchObject({ pipelineId: 'other', own: [], shared: { cpuMs: '4' } });
});

test('with more accounts than a report holds, each has its turn while all go on working', () => {
  const ledger = new UsageLedger(clock);
  const told = new Set<string | null>();
  for (let tick = 0; tick < 3; tick += 1) {
    for (let index = 0; index < 500; index += 1)
      ledger.add({ pipelineId: 'flights', backfillId: `bf_${index}` }, { events: 1 });
    const { usage, delivered } = ledger.report();
    expect(usage[0]?.own).toHaveLength(200);
    for (const { backfillId } of usage[0]?.own ?? []) told.add(backfillId);
    delivered();
  }
  expect(told.size).toBe(500);
});

test('with more pipelines than a tick may hold, each has its turn, also those without news', () => {
  const ledger = new UsageLedger(clock);
  const told = new Map<string, number>();
  for (let index = 0; index < 40; index += 1)
    ledger.add({ pipelineId: `of_${index}`, backfillId: 'bf_1' }, { events: 1 });
  nowMs += 120_000;
  for (let tick = 1; tick <= 6; tick += 1) {
    ledger.add({ pipelineId: 'of_30', backfillId: 'bf_1' }, { events: 1 });
    ledger.share('of_31', { cpuMs: 1 });
    const { usage, delivered } = ledger.report();
    expect(Value.Errors(Tick.properties.usage, usage)).toEqual([]);
    for (const { pipelineId } of usage) told.set(pipelineId, (told.get(pipelineId) ?? 0) + 1);
    delivered();
  }
  expect(told.size).toBe(40);
  for (const times of told.values()) expect([2, 3]).toContain(times);
});

test('the age is that of the work for a pipeline: one that comes late is new, however old the process', () => {
  const ledger = new UsageLedger(clock);
  ledger.add(one, { events: 1 });
  nowMs += 7_200_000;
  ledger.add({ ...one, pipelineId: 'late' }, { events: 1 });
  nowMs += 250;
  expect(ledger.report().usage.map(({ ageMs }) => ageMs)).toEqual([7_200_250, 250]);
});

test('charging an account is no work of it', () => {
  const ledger = new UsageLedger(clock);
  ledger.add(one, { events: 1 });
  expect(ledger.takeAtWork()).toEqual([one]);
  ledger.charge(two, { cpuMs: 1 });
  expect(ledger.takeAtWork()).toEqual([]);
});

test('bytes × time wait for whose entries they are, and are shared while there are several', () => {
  const ledger = new UsageLedger(clock);
  const holding = new StreamHolding(ledger, 'flights');
  const look = (bytes: number, atMs: number) =>
    holding.look({ bytes, entries: bytes / 10 }, { askedMs: atMs, atMs });
  const held = () => {
    const [report] = ledger.report().usage;
    return [
      report?.own.map(({ backfillId, use }) => [backfillId, use.streamByteMs]) ?? [],
      report?.shared.streamByteMs,
    ];
  };
  look(0, 0);
  look(100, 10);
  expect(held()).toEqual([[], undefined]);
  holding.applied(one, 15);
  look(100, 20);
  expect(held()).toEqual([[['bf_1', '1500']], undefined]);
  holding.applied(two, 25);
  look(100, 30);
  expect(held()).toEqual([[['bf_1', '1500']], '1000']);
  // The first had nothing applied for long: what lies there is the other's.
  holding.applied(two, 11_000);
  look(100, 11_030);
  expect(held()).toEqual([
    [
      ['bf_1', '1500'],
      ['bf_2', '1100000'],
    ],
    '1000',
  ]);
  // Nobody looked for a while: that time is not made up.
  holding.lost();
  look(100, 99_000);
  look(100, 99_001);
  expect(held()[0]).toEqual([
    ['bf_1', '1500'],
    ['bf_2', '1100100'],
  ]);
});

test('what an earlier process left, and nobody adds to, is live’s: the next backfill pays from its first entry on', () => {
  const ledger = new UsageLedger(clock);
  const holding = new StreamHolding(ledger, 'flights');
  const look = (bytes: number, atMs: number) =>
    holding.look({ bytes, entries: bytes / 10 }, { askedMs: atMs, atMs });
  const held = () =>
    Object.fromEntries(
      ledger.report().usage[0]?.own.map(({ backfillId, use }) => [`${backfillId}`, use.streamByteMs]) ?? [],
    );
  look(100, 0);
  look(100, 86_400_000);
  expect(held()).toEqual({ null: '8640000000' });
  // Entries come, and the store stands: they wait for whoever they will be told by.
  look(300, 86_400_010);
  look(300, 86_460_010);
  expect(held()).toEqual({ null: '8640000000' });
  holding.applied(one, 86_460_020);
  look(300, 86_460_020);
  expect(held()).toEqual({ null: '8640000000', bf_1: String(2_000 + 60_000 * 300 + 3_000) });
});

test('what an earlier process left and nobody has applied yet is whose it will be told by', () => {
  const ledger = new UsageLedger(clock);
  const holding = new StreamHolding(ledger, 'flights');
  const look = (waiting: number, atMs: number) =>
    holding.look({ bytes: 100, entries: 10, waiting }, { askedMs: atMs, atMs });
  // Started again on a full stream while the store stands.
  look(10, 0);
  look(10, 60_000);
  expect(ledger.report().usage).toEqual([]);
  holding.applied(one, 60_010);
  look(5, 60_010);
  expect(ledger.report().usage[0]?.own).toMatchObject([
    { backfillId: 'bf_1', use: { streamByteMs: '6001000' } },
  ]);
  // Committed by the earlier process, which did not come to tell the stream.
  const told = new StreamHolding(ledger, 'flights');
  told.look({ bytes: 100, entries: 10, waiting: 10 }, { askedMs: 0, atMs: 0 });
  told.look({ bytes: 100, entries: 10, waiting: 10 }, { askedMs: 10, atMs: 10 });
  told.look({ bytes: 100, entries: 10, waiting: 0 }, { askedMs: 20, atMs: 20 });
  expect(ledger.report().usage[0]?.own).toMatchObject([
    {},
    { backfillId: null, use: { streamByteMs: '2000' } },
  ]);
});

test('of a stream that is trimmed as often as it is looked at, bytes × time are its area, at whatever phase', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        lookEveryMs: fc.integer({ min: 100, max: 400 }),
        trimEveryMs: fc.integer({ min: 100, max: 400 }),
        phaseMs: fc.integer({ min: 0, max: 400 }),
        toldAfterMs: fc.integer({ min: 0, max: 3 }),
      }),
      async ({ lookEveryMs, trimEveryMs, phaseMs, toldAfterMs }) => {
        const ledger = new UsageLedger(clock);
        const holding = new StreamHolding(ledger, 'flights');
        // Two entries of 80 bytes come each millisecond; every trim takes all but the youngest ten. Looked at each millisecond it is the area.
        let entries = 0;
        let area = 0;
        let trim: { readonly entries: number; readonly toldMs: number; tell(entries: number): void } | null =
          null;
        const endMs = 40 * lookEveryMs;
        let nowMs = 0;
        for (let atMs = 0; atMs <= endMs; atMs++) {
          nowMs = atMs;
          holding.applied(one, atMs);
          if (trim?.toldMs === atMs) {
            trim.tell(trim.entries);
            trim = null;
            await null;
          }
          if (atMs % lookEveryMs === 0)
            holding.look({ bytes: 80 * entries, entries }, { askedMs: atMs - 1, atMs });
          if (atMs === endMs) break;
          // The last look is one that counts: none is beside it.
          if ((atMs + phaseMs) % trimEveryMs === 0 && entries > 10 && atMs < endMs - 10) {
            const { promise, resolve } = Promise.withResolvers<number>();
            const toldMs: number = atMs + toldAfterMs;
            holding.trimming(promise, { monotonic: () => nowMs });
            trim = { entries: entries - 10, toldMs, tell: resolve };
            if (toldAfterMs === 0) trim.tell(trim.entries);
            await null;
            entries = 10;
          }
          area += 80 * (entries + 1);
          entries += 2;
        }
        const counted = Number(ledger.report().usage[0]?.own[0]?.use.streamByteMs);
        // A trim is told when it is over, what it took went before; and of eight looks that are beside one, one is taken.
        expect(Math.abs(counted / area - 1)).toBeLessThan(0.01 + (2 * toldAfterMs) / trimEveryMs);
      },
    ),
    // Each look is beside a trim.
    { examples: [[{ lookEveryMs: 100, trimEveryMs: 100, phaseMs: 1, toldAfterMs: 2 }]] },
  );
});

test('a report says whether an earlier one of its pipeline has arrived', () => {
  const ledger = new UsageLedger(clock);
  ledger.add(one, { events: 1 });
  const lost = ledger.report();
  const second = ledger.report();
  second.delivered();
  ledger.add({ ...one, pipelineId: 'other' }, { events: 1 });
  const third = ledger.report();
  const told = ({ usage }: typeof lost) => usage.map(({ arrived }) => arrived);
  expect([lost, second, third].map(told)).toEqual([[false], [false], [true, false]]);
});

test('of a pipeline that has been removed nothing is told, and the next of its name is counted from zero', () => {
  const ledger = new UsageLedger(clock);
  ledger.add(one, { cpuMs: 5 });
  ledger.share('orders', { cpuMs: 7 });
  const told = ledger.report();
  ledger.keepOnly(['orders']);
  told.delivered();
  expect(ledger.takeAtWork()).toEqual([]);
  expect(ledger.report().usage).toMatchObject([{ pipelineId: 'orders', shared: { cpuMs: '7' } }]);
  ledger.share('flights', { cpuMs: 1 });
  expect(ledger.report().usage.at(-1)).toMatchObject({
    ...{ pipelineId: 'flights', arrived: false, own: [], shared: { cpuMs: '1' } },
  });
});
