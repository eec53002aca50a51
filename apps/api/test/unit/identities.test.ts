import { noIdentity } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import { keepMembership, MisplacedError } from '../../src/data-plane/control/membership.ts';
import { StoreError } from '../../src/data-plane/ports.ts';
import { identitiesOf } from '../../src/identities.ts';
import { silentLog, virtual, virtualClock, WorldApi } from '../fixtures/worker-world.ts';

beforeEach(() => void vi.useFakeTimers({ ...virtual, toFake: [...virtual.toFake] }));
afterEach(() => void vi.useRealTimers());

const ours = { id: 'ours', name: 'ours' };
const silent = () => undefined;

test('what has been read is remembered, what could not be read is read again', async () => {
  const store = vi.fn().mockRejectedValueOnce(new StoreError('store_failed', 'no')).mockResolvedValue(ours);
  const streams = vi.fn().mockResolvedValue(undefined);
  const warned: string[] = [];
  const read = identitiesOf({ store, streams }, (_, message) => void warned.push(message));
  expect(await read()).toEqual({ store: { code: 'store_failed' } });
  expect(warned).toEqual(['what the store is known by could not be read']);
  expect([await read(), await read()]).toEqual([{ store: ours }, { store: ours }]);
  expect(store).toHaveBeenCalledTimes(2);
});

test('a server that owes its answer keeps nobody for long, and is not asked twice at a time', async () => {
  const answer = Promise.withResolvers<typeof ours>();
  const streams = vi.fn(() => answer.promise);
  const read = identitiesOf({ streams }, silent);
  const first = read();
  await vi.advanceTimersByTimeAsync(2_000);
  expect(await first).toEqual({ streams: { code: 'no_answer' } });
  const second = read();
  answer.resolve(ours);
  expect(await second).toEqual({ streams: ours });
  expect(streams).toHaveBeenCalledTimes(1);
});

test('a store that is still to be migrated is asked again', async () => {
  const unmade = { id: noIdentity, name: 'ours' };
  const store = vi.fn().mockResolvedValueOnce(unmade).mockResolvedValue(ours);
  const read = identitiesOf({ store, streams: async () => undefined }, silent);
  expect([await read(), await read()]).toEqual([{ store: unmade }, { store: ours }]);
});

const refused = (code: string) =>
  new ControlError('refused', `/v1/workers: 422 ${code}: no`, { problem: { code, detail: 'no' } });

function member(refusals: Error[]) {
  const api = new WorldApi();
  api.beforeAnswer = (call) => {
    const refusal = call === 'join' ? refusals.shift() : undefined;
    if (refusal !== undefined) throw refusal;
  };
  const stop = new AbortController();
  const membership = keepMembership(
    {
      ...{ role: 'replay', version: '0', host: 'here', control: api, clock: virtualClock },
      ...{ signal: stop.signal, log: silentLog, identities: async () => ({ streams: ours }) },
    },
    {
      joined: silent,
      pushed: silent,
      report: () => ({
        body: { leases: [], quarantined: [], replay: null, apply: null, feed: null },
        delivered: silent,
      }),
    },
  );
  return { api, stop, membership };
}

test.each(['store_mismatch', 'stream_mismatch'])(
  '%s at a join ends a worker with the sentence',
  async (code) => {
    const { api, membership } = member([refused(code)]);
    await expect(membership).rejects.toThrow(new MisplacedError(`no (${code})`));
    expect(api.of('join')).toMatchObject([{ body: { identities: { streams: ours } } }]);
  },
);

test('what may pass is asked again', async () => {
  const { api, stop, membership } = member([
    new ControlError('unreachable', 'away'),
    refused('version_mismatch'),
  ]);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(api.of('join')).toHaveLength(3);
  stop.abort();
  await vi.advanceTimersByTimeAsync(1_000);
  await membership;
});

test('what fails as before is said once a minute', async () => {
  const warned = vi.spyOn(silentLog, 'warn');
  const { stop, membership } = member(Array.from({ length: 100 }, () => refused('unavailable')));
  await vi.advanceTimersByTimeAsync(70_000);
  expect(warned).toHaveBeenCalledTimes(2);
  stop.abort();
  await vi.advanceTimersByTimeAsync(2_000);
  await membership;
  warned.mockRestore();
});
