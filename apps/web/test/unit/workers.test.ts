import type { WorkerResource } from '@spillway/shared/api/session';
import { expect, test } from 'vitest';
import { workOf } from '../../src/features/workers/model/worker-words.ts';

type Work = Parameters<typeof workOf>[0];
const replay: Work = { role: 'replay', state: 'working', leases: 2, leasesMax: 4 };
const apply: Work = {
  role: 'apply',
  state: 'working',
  leases: 0,
  leasesMax: null,
  lanes: ['live', 'replay'],
};
const feed: Work = { role: 'feed', state: 'working', leases: 0, leasesMax: null };

test.each<[string, Work, string]>([
  ['a replay worker by its leases', replay, '2 of 4 leases'],
  ['one that is lost by what it may still hold', { ...replay, state: 'lost', leases: 1 }, 'held 1 lease'],
  ['and by nothing', { ...replay, state: 'lost', leases: 0 }, 'nothing'],
  ['an apply worker by its lanes', apply, 'has live and replay'],
  ['by one of them', { ...apply, lanes: ['replay'] }, 'has replay'],
  ['one that stands by', { ...apply, state: 'standby', lanes: [] }, 'nothing'],
  ['one that has not told yet', { role: 'apply', state: 'working', leases: 0, leasesMax: null }, 'unknown'],
  ['a feed', feed, 'the live feed'],
  ['a second feed', { ...feed, state: 'standby' }, 'nothing'],
] satisfies [string, Pick<WorkerResource, 'role' | 'state' | 'leases' | 'leasesMax' | 'lanes'>, string][])(
  'what a worker has in hand is told of %s',
  (_, worker, words) => {
    expect(workOf(worker)).toBe(words);
  },
);
