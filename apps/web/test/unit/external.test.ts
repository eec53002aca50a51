import type { Pipeline } from '@spillway/shared/api/pipeline';
import { describe, expect, test } from 'vitest';
import {
  appliedWords,
  doneWords,
  duplicateWords,
  rateOf,
} from '../../src/features/backfill/model/applied.ts';
import { holes } from '../../src/features/new-backfill/model/brush.ts';
import { chosenOf } from '../../src/features/pipeline/api/list-pipelines.ts';
import {
  chartWords,
  fillOf,
  lengthNote,
  pausedText,
  type Stream,
} from '../../src/features/streams/model/stream-words.ts';

describe('a backfill of an external pipeline', () => {
  const progress = {
    eventsDone: 12_345,
    publishedEventsPerSecond: 300,
    appliedEventsPerSecond: null,
    eventsApplied: null,
    eventsDuplicate: null,
  };

  test('shows a dash for what was applied, and why', () => {
    expect(appliedWords(progress)).toEqual(['—', 'known to your consumers alone']);
    expect(duplicateWords(progress)).toEqual(['—', 'known to your consumers alone']);
    expect(doneWords(progress)).toBe('12,345 published');
    expect(rateOf(progress)).toEqual({ of: 'published', eventsPerSecond: 300 });
  });

  test('of ours is as it was', () => {
    // 200 of those rows are of a reading that is made again.
    const ours = {
      ...progress,
      eventsApplied: 1_000,
      eventsDuplicate: 5,
      eventsDone: 805,
      appliedEventsPerSecond: 200,
    };
    expect(appliedWords(ours)).toEqual(['1,000', 'rows inserted, in all readings']);
    expect(duplicateWords(ours)).toEqual(['5', 'rows that were there already, in all readings']);
    const readOnce = { ...ours, eventsDone: 1_005 };
    expect(appliedWords(readOnce)).toEqual(['1,000', 'rows inserted']);
    expect(duplicateWords(readOnce)).toEqual(['5', 'rows that were there already']);
    expect(doneWords(ours)).toBe('805');
    expect(rateOf(ours)).toEqual({ of: 'applied', eventsPerSecond: 200 });
  });
});

describe('a stream of the user’s own', () => {
  const stream: Stream = {
    name: 'orders',
    role: 'replay',
    length: 18_956,
    highWaterMark: 2_000,
    lengthBytes: null,
    consumerLag: 500,
    consumerLagMs: 10,
    oldestPendingMs: 10,
    retention: '',
    safePausedForMs: null,
    external: true,
  };

  test('is held to its mark by what waits, not by what it keeps', () => {
    expect(fillOf(stream)).toBe(0.25);
    expect(lengthNote(stream)).toBe('entries, yours among them · lag at 25 % of 2,000');
    expect(fillOf({ ...stream, consumerLag: null })).toBeNull();
  });

  test('has a chart of what waits, which is all that is recorded', () => {
    expect(chartWords('entries', [stream])).toMatchObject({ title: 'Waiting', hint: 'Entries' });
    expect(chartWords('time', [stream])).toMatchObject({
      title: 'Waiting',
      hint: 'Age of the oldest entry that waits',
    });
    const { external: _, ...ours } = stream;
    expect(chartWords('entries', [ours]).title).toBe('Length and lag');
    expect(chartWords('entries', []).title).toBe('Length and lag');
  });

  test('promises nothing of how long a pause is safe', () => {
    expect(pausedText(stream)).toBe('as long as you do not trim it');
  });
});

test('where what is stored is not known, nothing is missing', () => {
  const scale = { fromMs: 0, toMs: 2, stepMs: 1 };
  const steps = [
    { startMs: 0, expected: 10, stored: null },
    { startMs: 1, expected: 5, stored: 3 },
  ];
  expect(holes(scale, steps)).toEqual([{ fromMs: 1, toMs: 2, missing: 2 }]);
});

test('a screen that names no pipeline is about one of ours', () => {
  const pipelines = [
    { id: 'airports', kind: 'external' },
    { id: 'flights', kind: 'built_in' },
  ] as Pipeline[];
  expect(chosenOf(pipelines, undefined)?.id).toBe('flights');
  expect(chosenOf(pipelines, 'airports')?.id).toBe('airports');
  expect(chosenOf(pipelines.slice(0, 1), undefined)?.id).toBe('airports');
});
