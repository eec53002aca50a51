/**
 * Governors with one fault each, made of the real deciders by what they are told or what is done with their answer. Every one must
 * be caught: it shows that the properties can fail.
 */
import type { AdaptiveMemory } from '../../src/governor/adaptive.ts';
import { decide } from '../../src/governor/decide.ts';
import { dividePipeline } from '../../src/governor/divide-pipeline.ts';
import { type GuardInputs, type GuardMemory, guardLive } from '../../src/governor/guard.ts';
import type { Deciders } from '../../src/simulation/governed-run.ts';
import type { Kind } from './scenarios.ts';

type Guarded = ReturnType<typeof guardLive>;

/** Guards as ever, but for what it hears, remembers and says. */
function guarding(fault: {
  hears?: (inputs: GuardInputs, memory: GuardMemory) => GuardInputs;
  remembers?: (memory: GuardMemory) => GuardMemory;
  says?: (guarded: Guarded, inputs: GuardInputs) => Guarded;
}): Deciders {
  return {
    decide,
    dividePipeline,
    guardLive: (inputs, memory) => {
      const heard = fault.hears?.(inputs, memory) ?? inputs;
      const guarded = guardLive(heard, fault.remembers?.(memory) ?? memory);
      return fault.says?.(guarded, inputs) ?? guarded;
    },
  };
}

const signalsAs =
  (change: (reading: GuardInputs['signals'][number]) => Partial<GuardInputs['signals'][number]>) =>
  (inputs: GuardInputs): GuardInputs => ({
    ...inputs,
    signals: inputs.signals.map((reading) => ({ ...reading, ...change(reading) })),
  });

function rash(adaptive: AdaptiveMemory): AdaptiveMemory {
  return adaptive.phase === 'frozen'
    ? adaptive
    : { ...adaptive, phase: 'slow_start', threshold: Number.POSITIVE_INFINITY, cutMs: null };
}

/** By name: what is wrong with it, and where that shows. */
export const mutants: Readonly<
  Record<string, { readonly deciders: Deciders; readonly shows: readonly Kind[] }>
> = {
  'cuts without a cooldown': {
    deciders: guarding({
      remembers: (memory) => ({
        ...memory,
        adaptive: memory.adaptive && { ...memory.adaptive, cutMs: null },
      }),
    }),
    shows: ['stall'],
  },
  'grows while nobody uses the rate': {
    deciders: guarding({
      hears: (inputs, { adaptive }) => ({
        ...inputs,
        replay: {
          ...inputs.replay,
          publishedEventsPerSecond: adaptive?.eventsPerSecond ?? 0,
          appliedEventsPerSecond: adaptive?.eventsPerSecond ?? 0,
        },
      }),
    }),
    shows: ['slow_history'],
  },
  'knows no hard stop': {
    deciders: guarding({ hears: (inputs) => ({ ...inputs, storeSilentMs: 0 }) }),
    shows: ['stall'],
  },
  'forgets the floor': {
    deciders: guarding({
      says: ({ guard, memory }) => ({ guard: { ...guard, floorEventsPerSecond: 0 }, memory }),
    }),
    shows: ['dead_signal', 'stall'],
  },
  'never cuts': {
    deciders: guarding({
      hears: signalsAs(({ value, target }) =>
        value !== null && value > (target ?? 0) ? { value: (target ?? 0) * 0.95 } : {},
      ),
    }),
    shows: ['amplified'],
  },
  'takes what it cannot read for well': {
    deciders: guarding({ hears: signalsAs(() => ({ failMode: 'ignore' })) }),
    shows: ['dead_signal'],
  },
  'takes an old value for a new one': {
    deciders: guarding({ hears: signalsAs(() => ({ ageMs: 0 })) }),
    shows: ['dead_signal'],
  },
  'sees no storm': {
    deciders: guarding({ hears: (inputs) => ({ ...inputs, liveLagMs: 0 }) }),
    shows: ['storm'],
  },
  'leaves live no room': {
    deciders: guarding({ hears: (inputs) => ({ ...inputs, liveEventsPerSecond: 0, headroomShare: 0 }) }),
    shows: ['load'],
  },
  'comes back from a stop at full rate': {
    deciders: guarding({
      says: ({ guard, memory }) => {
        const { adaptive } = memory;
        if (adaptive === null || adaptive.phase !== 'slow_start' || adaptive.cutMs === null)
          return { guard, memory };
        const full = { ...adaptive, eventsPerSecond: adaptive.threshold };
        return {
          guard: { ...guard, adaptive: { ...guard.adaptive, eventsPerSecond: full.eventsPerSecond } },
          memory: { ...memory, adaptive: full },
        };
      },
    }),
    shows: ['stall'],
  },
  'never thaws': {
    deciders: guarding({
      remembers: (memory) => (memory.adaptive?.phase === 'frozen' ? { ...memory, stopped: true } : memory),
      hears: (inputs, memory) =>
        memory.adaptive?.phase === 'frozen' ? { ...inputs, liveLagMs: 1e9 } : inputs,
    }),
    shows: ['stall'],
  },
  'waits for the clock to come back': {
    deciders: guarding({
      hears: (inputs, { adaptive }) => ({
        ...inputs,
        nowMs: Math.max(inputs.nowMs, adaptive?.changedMs ?? 0),
      }),
    }),
    shows: ['clock_leap'],
  },
  'gives every backfill all there is': {
    deciders: {
      guardLive,
      decide,
      dividePipeline: (_capacity, backfills) =>
        new Map(backfills.map(({ backfillId, decision }) => [backfillId, decision])),
    },
    shows: ['several'],
  },
  'doubles whenever it may, whatever broke before': {
    deciders: guarding({
      remembers: (memory) => ({ ...memory, adaptive: memory.adaptive && rash(memory.adaptive) }),
    }),
    shows: ['amplified'],
  },
};
