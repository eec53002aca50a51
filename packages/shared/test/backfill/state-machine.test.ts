import { describe, expect, test } from 'vitest';
import {
  allowedVerbs,
  backfillStates,
  canTransition,
  isFinal,
  isPossible,
  transitions,
  verbStates,
} from '../../src/backfill/state-machine.ts';

describe('the transition table', () => {
  test('is the design, edge by edge', () => {
    const edges = backfillStates.flatMap((from) => transitions[from].map((to) => `${from} -> ${to}`));
    expect(edges.toSorted()).toEqual(
      [
        'queued -> running',
        'queued -> cancelled',
        'running -> pausing',
        'running -> verifying',
        'running -> failed',
        'running -> cancelling',
        'pausing -> paused',
        'pausing -> running',
        'pausing -> cancelling',
        'paused -> running',
        'paused -> cancelling',
        'verifying -> completed',
        'verifying -> failed',
        'verifying -> cancelling',
        'cancelling -> cancelled',
        'failed -> queued',
        'failed -> cancelling',
      ].toSorted(),
    );
  });

  test('final states have no way out, every other state has a way to an end', () => {
    for (const state of backfillStates) expect(transitions[state].length === 0).toBe(isFinal(state));
    const reaches = (state: (typeof backfillStates)[number], seen = new Set<string>()): boolean =>
      isFinal(state) ||
      (!seen.has(state) && transitions[state].some((next) => reaches(next, new Set([...seen, state]))));
    for (const state of backfillStates) expect(reaches(state)).toBe(true);
    expect(canTransition('completed', 'queued')).toBe(false);
  });

  test('an intent is offered only where its edge exists', () => {
    const edge = { pause: 'pausing', cancel: 'cancelling', retry: 'queued', resume: 'running' } as const;
    for (const verb of ['pause', 'cancel', 'retry', 'resume'] as const)
      for (const state of verbStates[verb])
        expect(canTransition(state, state === 'queued' ? 'cancelled' : edge[verb])).toBe(true);
  });

  test.each([
    { reasons: ['operator'], resumes: true },
    { reasons: ['operator', 'budget'], resumes: true },
    { reasons: ['brake', 'operator'], resumes: true },
    { reasons: ['budget'], resumes: false },
    { reasons: ['brake', 'storm'], resumes: false },
    { reasons: [], resumes: false },
  ])('held by $reasons, resuming is possible: $resumes', ({ reasons, resumes }) => {
    const holds = reasons.map((reason) => ({ reason }));
    for (const state of backfillStates) {
      const stands = state === 'pausing' || state === 'paused';
      expect(isPossible('resume', { state, holds })).toBe(stands && resumes);
      expect(allowedVerbs({ state, holds }, true).includes('resume')).toBe(stands && resumes);
      for (const verb of ['throttle', 'pause', 'cancel', 'retry'] as const)
        expect(isPossible(verb, { state, holds })).toBe(verbStates[verb].includes(state));
    }
  });

  test('a viewer may do nothing', () => {
    for (const state of backfillStates) expect(allowedVerbs({ state, holds: [] }, false)).toEqual([]);
    expect(allowedVerbs({ state: 'running', holds: [] }, true)).toEqual(['throttle', 'pause', 'cancel']);
    expect(allowedVerbs({ state: 'completed', holds: [] }, true)).toEqual([]);
  });
});
