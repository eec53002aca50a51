import { describe, expect, it } from 'vitest';
import {
  chartLines,
  entriesText,
  fillOf,
  fillTone,
  lagText,
  lengthNote,
  linesFor,
  oldestText,
  pausedText,
  retentionText,
  type Stream,
  streamOf,
} from '../../src/features/streams/model/stream-words.ts';

const stream: Stream = {
  name: 'flights-replay',
  role: 'replay',
  length: 400,
  highWaterMark: 20_000,
  lengthBytes: 64_000,
  consumerLag: 380,
  consumerLagMs: 30,
  oldestPendingMs: 31,
  retention: 'until every consumer group has finished with it',
  safePausedForMs: null,
};

describe('a stream in words', () => {
  it.each([
    [null, 'unknown'],
    [0, '0 entries'],
    [1, '1 entry'],
    [20_000, '20,000 entries'],
  ])('%s is %s', (entries, text) => {
    expect(entriesText(entries)).toBe(text);
  });

  it.each([
    [{}, 'as long as it takes'],
    [{ safePausedForMs: 11_520_000 }, '3 h 12 min'],
    [{ safePausedForMs: 0 }, '0 s'],
    [{ length: null }, 'unknown'],
    [
      { accepted: ['retention', 'untrimmed'] satisfies Stream['accepted'] },
      'unknown, as accepted: nobody says when it drops entries',
    ],
    [
      { accepted: ['retention'] satisfies Stream['accepted'], safePausedForMs: 11_520_000 },
      'at most 3 h 12 min; it may drop entries before, as accepted',
    ],
    [{ accepted: ['untrimmed'] satisfies Stream['accepted'] }, 'as long as it takes'],
    [{ role: 'live' as const, length: null }, 'as long as it takes'],
  ])('safe to stay paused, %j: %s', (change, text) => {
    expect(pausedText({ ...stream, ...change })).toBe(text);
  });

  it.each([
    [{}, 'lag 380 entries · 30 ms · oldest pending 31 ms'],
    [{ consumerLagMs: null }, 'lag 380 entries · in time unknown · oldest pending 31 ms'],
    [{ consumerLag: null }, 'lag in entries unknown · 30 ms · oldest pending 31 ms'],
    [
      { consumerLag: null, consumerLagMs: null, oldestPendingMs: null },
      'lag unknown · oldest pending unknown',
    ],
  ])('on one line, %j: %s', (change, text) => {
    expect(lagText({ ...stream, ...change })).toBe(text);
  });

  it.each([
    [{}, 'entries of 20,000 (2 %) · 62.5 KiB'],
    [{ highWaterMark: null, length: 1 }, 'entry · 62.5 KiB'],
    [{ lengthBytes: null }, 'entries of 20,000 (2 %) · size unknown'],
    [{ highWaterMark: null, lengthBytes: null }, 'entries · size unknown'],
    [{ length: null }, 'length · 62.5 KiB'],
    [{ length: null, lengthBytes: null }, 'length and size'],
  ])('after its length, %j: %s', (change, text) => {
    expect(lengthNote({ ...stream, ...change })).toBe(text);
  });

  it.each([
    [{}, '31 ms'],
    [{ consumerLag: 0, oldestPendingMs: 0 }, 'nothing waits'],
    [{ consumerLag: null, oldestPendingMs: null }, 'unknown'],
  ])('oldest, %j: %s', (change, text) => {
    expect(oldestText({ ...stream, ...change })).toBe(text);
  });

  it.each([
    ['until every consumer group has finished with it', 'until every consumer group has finished with it'],
    ['at most P1DT2H, applied or not', 'at most 1 d 2 h, applied or not'],
    [
      'at most PT1H, 20000 entries, 1048576 bytes, applied or not',
      'at most 1 h, 20,000 entries, 1 MiB, applied or not',
    ],
  ])('kept %s reads %s', (retention, text) => {
    expect(retentionText(retention)).toBe(text);
  });

  it('how full: against its mark, unknown where either is', () => {
    expect(fillOf(stream)).toBe(0.02);
    expect(fillOf({ ...stream, length: null })).toBeNull();
    expect(fillOf({ ...stream, highWaterMark: null })).toBeNull();
    expect([0.1, 0.5, 0.89, 0.9, 1.2].map(fillTone)).toEqual(['quiet', 'warn', 'warn', 'bad', 'bad']);
  });
});

describe('the chart of the streams', () => {
  const live: Stream = { ...stream, role: 'live', name: 'flights-live', length: 7, highWaterMark: null };

  it('draws both streams, each line with its own value', () => {
    const lines = linesFor('entries', [live, stream]);
    expect(lines).toBe(chartLines.entries);
    expect(lines.map((line) => [line.name, line.value(streamOf(line, [live, stream]) as Stream)])).toEqual([
      ['Replay, length', '400 entries'],
      ['Replay, lag', '380 entries'],
      ['Live, length', '7 entries'],
      ['Live, lag', '380 entries'],
    ]);
  });

  it.each(['replay', 'shared'] as const)(
    'of a stream of the user’s own (%s) draws what waits, alone',
    (role) => {
      const external: Stream = { ...stream, role, external: true, length: 17_280, consumerLag: 0 };
      const lines = linesFor('entries', [external]);
      expect(lines.map((line) => [line.name, line.value(external)])).toEqual([['Replay, lag', '0 entries']]);
      expect(linesFor('time', [external]).map(({ metric }) => metric)).toEqual(['replayLagMs']);
      expect(streamOf(lines[0] as (typeof lines)[number], [external])).toBe(external);
    },
  );

  it('of a shared stream draws the one that is there', () => {
    const shared: Stream = { ...stream, role: 'shared' };
    expect(linesFor('time', [shared]).map(({ metric }) => metric)).toEqual(['liveLagMs']);
    expect(linesFor('time', [shared])).toBe(linesFor('time', [shared]));
    expect(streamOf(chartLines.time[1] as (typeof chartLines.time)[number], [shared])).toBe(shared);
  });
});
