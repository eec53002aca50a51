/** Whose loss has left a role empty: a table, and histories of a role in virtual time. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LOST_AFTER_MS, lostWorkers, type WorkerFact } from '../../src/control-plane/alerts/lost-workers.ts';

const LONG_AGO_MS = 80_000_000;
const worker = (id: string, silentMs: number, of: Partial<WorkerFact> = {}): WorkerFact => ({
  ...{ id, role: 'replay', host: 'here', joinedMs: LONG_AGO_MS, silentMs, left: false },
  ...of,
});
const left = (id: string, silentMs: number, of: Partial<WorkerFact> = {}) =>
  worker(id, silentMs, { ...of, left: true });
const named = (workers: readonly WorkerFact[]) =>
  [...lostWorkers(workers)].map(([role, { id, leftSince }]) => [role, id, leftSince?.id ?? null]);

test.each<[string, WorkerFact[], [string, string | null] | null]>([
  ['nobody ever joined', [], null],
  ['silent for less than ten seconds', [worker('a', 9_999)], null],
  ['silent for ten', [worker('a', 10_000)], ['a', null]],
  ['it fell silent as it joined', [worker('a', 10_000, { joinedMs: 10_000 })], ['a', null]],
  [
    'its clock was set back: it joined later than it was heard',
    [worker('a', 20_000, { joinedMs: 5_000 })],
    ['a', null],
  ],
  ['another answers', [worker('a', 60_000), worker('b', 200)], null],
  [
    'another of another role answers',
    [worker('a', 60_000), worker('b', 200, { role: 'apply' })],
    ['a', null],
  ],
  ['all are: the last heard stands for them', [worker('a', 60_000), worker('b', 20_000)], ['b', null]],
  ['it left', [left('a', 60_000)], null],
  ['it is lost, and another left before', [worker('a', 20_000), left('b', 60_000)], ['a', null]],
  ['another left, and a third answers', [left('a', 60_000), worker('b', 200)], null],
  ['it is lost, and the others left after', [worker('a', 60_000), left('b', 20_000)], ['a', 'b']],
  ['the others left just now: one may be restarted', [worker('a', 60_000), left('b', 9_999)], null],
  ['who joined after it left', [worker('a', 60_000), left('b', 20_000, { joinedMs: 59_999 })], null],
  [
    'who joined after it is lost itself',
    [worker('a', 60_000), worker('b', 30_000, { joinedMs: 50_000 }), left('c', 20_000)],
    ['b', 'c'],
  ],
  [
    'who joined after it was of another role',
    [worker('a', 60_000), left('b', 20_000), worker('c', 200, { role: 'feed', joinedMs: 50_000 })],
    ['a', 'b'],
  ],
  [
    'another has taken its place, and left',
    [left('a', 60_000), left('b', 20_000, { joinedMs: 59_000 })],
    null,
  ],
])('%s', (_, workers, expected) => {
  expect(named(workers)).toEqual(expected === null ? [] : [['replay', ...expected]]);
});

interface Fate {
  readonly joinedAtMs: number;
  /** Null: at work. */
  goneAtMs: number | null;
  left: boolean;
}

/** Of a role that two have joined: what happens so long after the last, to which of those it may happen to, and how long after it we look. */
const step = fc.record({
  afterMs: fc.integer({ min: 1, max: 2 * LOST_AFTER_MS }),
  what: fc.constantFrom('joins', 'is killed', 'leaves', 'is heard again', 'is taken leave of'),
  which: fc.nat(),
  lookedAfterMs: fc.integer({ min: 0, max: 2 * LOST_AFTER_MS }),
});

test('an empty role has lost somebody exactly where somebody who was killed is missed, whatever came before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const fates = new Map<string, Fate>();
      const join = (joinedAtMs: number) =>
        fates.set(`w${fates.size}`, { joinedAtMs, goneAtMs: null, left: false });
      join(0);
      join(0);
      let missed: string[] = [];
      let nowMs = 0;
      for (const { afterMs, what, which, lookedAfterMs } of steps) {
        nowMs += afterMs;
        const atWork = [...fates.keys()].filter((id) => fates.get(id)?.goneAtMs === null);
        const among = what === 'is killed' || what === 'leaves' ? atWork : missed;
        const id = among[which % among.length];
        const fate = fates.get(id ?? '');
        if (what === 'joins') {
          join(nowMs);
          missed = [];
        } else if (id !== undefined && fate !== undefined) {
          missed = missed.filter((other) => other !== id);
          if (what === 'is killed') missed.push(id);
          fate.goneAtMs = what === 'is heard again' ? null : nowMs;
          fate.left = what === 'leaves' || what === 'is taken leave of';
        }
        const lookedAtMs = nowMs + lookedAfterMs;
        const goneForMs = [...fates.values()].map(({ goneAtMs }) => lookedAtMs - (goneAtMs ?? lookedAtMs));
        const rows = [...fates].map(([name, { joinedAtMs, left: gone }], index) =>
          worker(name, goneForMs[index]!, { joinedMs: lookedAtMs - joinedAtMs, left: gone }),
        );
        const isEmpty = Math.min(...goneForMs) >= LOST_AFTER_MS;
        expect(lostWorkers(rows).get('replay')?.id).toBe(isEmpty ? missed.at(-1) : undefined);
      }
    }),
  );
});
