import type { WorkerResource } from '@spillway/shared/api/session';
import { expect, it } from 'vitest';
import { readable } from '../../src/features/workers/model/readable.ts';

type Worker = Pick<WorkerResource, 'role' | 'state' | 'tags'>;
const worker: Worker = { role: 'replay', state: 'working', tags: [] };
const isolated: Worker = { ...worker, tags: ['isolated'] };

it.each<[string, Worker[], boolean, boolean]>([
  ['nobody', [], false, false],
  ['an apply worker', [{ ...worker, role: 'apply' }], false, false],
  ['one that is lost', [{ ...isolated, state: 'lost' }], false, false],
  ['one', [worker], true, false],
  ['an isolated one', [isolated], true, true],
  ['one, and an isolated one that is lost', [worker, { ...isolated, state: 'lost' }], true, false],
])('%s is there: who can be read for', (_who, workers, any, ofIsolated) => {
  expect([readable(workers, false), readable(workers, true)]).toEqual([any, ofIsolated]);
});
