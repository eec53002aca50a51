/** The checklist as a whole: complete, in order, leading to its settings, and silent on what nobody knows. */
import { Readiness, readinessIds } from '@spillway/shared/api/readiness';
import fc from 'fast-check';
import { Value } from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { readinessOf } from '../../src/control-plane/readiness/checklist.ts';
import type { ReadinessFacts } from '../../src/control-plane/readiness/facts.ts';
import { type Change, checklist, itemOf, nowMs, proof, ready, source } from '../fixtures/ready-pipeline.ts';

describe('the checklist', () => {
  it('answers every question once, in order, and counts the answers', () => {
    const all = checklist();
    expect(all.items.map(({ id }) => id)).toEqual(readinessIds);
    expect(all.counts).toEqual({ yes: readinessIds.length, no: 0, unknown: 0 });
    expect(Value.Check(Readiness, all)).toBe(true);
  });

  it.each([
    ['reconnects_bounded', {}, '/pipeline?pipeline=flights#reconnect-stagger'],
    ['cost_known', {}, '/cost?pipeline=flights#price-book'],
    ['pause_is_safe', {}, '/streams?pipeline=flights'],
    ['workers_spare', {}, null],
    ['tokens_last', {}, '/settings#tokens'],
    ['proof_matched', {}, '/backfills'],
    ['proof_matched', { proofs: [{ ...proof, state: 'mismatched' }] }, '/backfills/bf_9'],
    ['live_first', { pipeline: { route: 'shared', signals: {} } }, '/pipeline?pipeline=flights#signals'],
    [
      'rate_explicit',
      { limits: [{ backfillId: 'bf_7', eventsPerSecond: null, share: 1 }] },
      '/backfills/bf_7',
    ],
  ] as const)('leads from %s %j to %s', (id, change, setting) => {
    expect(itemOf(id, change as Change).setting).toBe(setting);
  });

  const nothing: ReadinessFacts = {
    ...ready,
    pipeline: { ...ready.pipeline, capacityEventsPerSecond: null, capacityMeasuredAt: null },
    signals: null,
    liveEventsPerSecond: null,
    stream: null,
    drills: [],
    proofs: [],
    sources: [source],
  };

  it('of what was not measured claims neither yes nor no', () => {
    const { items } = readinessOf('flights', nothing);
    expect(items.filter(({ answer }) => answer === 'unknown').map(({ id }) => id)).toEqual([
      'floor_below_share',
      'capacity_known',
      'live_fresh',
      'signals_read',
      'stall_stops_replay',
      'backpressure_reaches_reader',
      'stream_holds_peak',
      'pause_is_safe',
      'history_counted',
      'proof_matched',
    ]);
  });

  it('whatever is known, evidence is a sentence, without a number that is none', () => {
    const keys = Object.keys(nothing) as (keyof ReadinessFacts)[];
    const rates = fc.record({
      capacityEventsPerSecond: fc.option(fc.double({ min: 1, max: 1e7, noNaN: true })),
      replayShare: fc.double({ min: 0, max: 1, noNaN: true }),
      replayFloor: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.subarray(keys), rates, fc.nat(1e12), (unknowns, settings, laterMs) => {
        const missing = Object.fromEntries(unknowns.map((key) => [key, nothing[key]]));
        const facts = { ...ready, ...missing, nowMs: nowMs + laterMs };
        const answer = readinessOf('flights', { ...facts, pipeline: { ...facts.pipeline, ...settings } });
        expect(Value.Check(Readiness, answer)).toBe(true);
        for (const { id, evidence } of answer.items) {
          expect(evidence, id).not.toMatch(/NaN|null|undefined|Infinity|-\d|\.\./);
          expect(evidence, id).toMatch(/[.”]$|from any machine\.$|one\.$/);
        }
        const { yes, no, unknown } = answer.counts;
        expect(yes + no + unknown).toBe(answer.items.length);
      }),
    );
  });
});
