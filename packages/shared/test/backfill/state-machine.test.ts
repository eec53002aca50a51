import { describe, expect, test } from 'vitest';
import {
  allowedVerbs,
  backfillStates,
  canTransition,
  isFinal,
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

  test('a viewer may do nothing', () => {
    for (const state of backfillStates) expect(allowedVerbs(state, false)).toEqual([]);
    expect(allowedVerbs('running', true)).toEqual(['throttle', 'pause', 'cancel']);
    expect(allowedVerbs('completed', true)).toEqual([]);
  });
});
