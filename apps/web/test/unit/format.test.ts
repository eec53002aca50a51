import { describe, expect, it } from 'vitest';
import { isoDuration, parseDurationMs } from '../../src/lib/duration.ts';
import {
  etaParts,
  formatBytes,
  formatCompact,
  formatCount,
  formatEta,
  formatMs,
  formatPercent,
  formatRate,
  formatRatio,
  formatSpan,
  groupDigits,
} from '../../src/lib/format.ts';
import {
  formatInstant,
  formatMoment,
  formatWindow,
  fromInput,
  isoInstant,
  plainTimes,
  toInput,
} from '../../src/lib/instant.ts';

describe('quantities as people read them', () => {
  it.each([
    [formatCount(1_234_567), '1,234,567'],
    [formatRate(7640.4), '7,640 events/s'],
    [formatRate(2.25), '2.3 events/s'],
    [formatRate(0), '0 events/s'],
    [formatCompact(1_200), '1.2k'],
    [formatCompact(38_200), '38k'],
    [formatCompact(2_500_000), '2.5M'],
    [formatMs(0.42), '0.4 ms'],
    [formatMs(0.01), '0.01 ms'],
    [formatMs(0), '0 ms'],
    [formatMs(23.4), '23 ms'],
    [formatMs(999.6), '1 s'],
    [formatMs(1_840), '1.8 s'],
    [formatMs(59_980), '1 min'],
    [formatMs(250_000), '4 min 10 s'],
    [formatSpan(0), '0 s'],
    [formatSpan(11_520_000), '3 h 12 min'],
    [formatSpan(2 * 86_400_000 + 4 * 3_600_000 + 59_000), '2 d 4 h'],
    [formatSpan(3_605_000), '1 h'],
    [formatSpan(7_240 * 86_400_000), '7,240 d'],
    [formatBytes(0), '0 B'],
    [formatBytes(1_536), '1.5 KiB'],
    [formatBytes(3 * 1024 ** 3), '3 GiB'],
    [formatRatio(0.318), '32 %'],
    [formatPercent(99.97), '99.9 %'],
    [formatPercent(100), '100 %'],
    [formatPercent(0.02), '0.1 %'],
    [formatPercent(0), '0 %'],
    [formatEta({ low: 50, likely: 62, high: 90 }), '1 min 2 s (50 s to 1 min 30 s)'],
    [formatEta({ low: 5, likely: 5, high: 5 }), '5 s'],
    [formatEta({ low: 5.2, likely: 6.95, high: 59.6 }), '7 s (5 s to 1 min)'],
  ])('%s', (formatted, expected) => {
    expect(formatted).toBe(expected);
  });

  it('says unknown for what is unknown, and never 0', () => {
    for (const value of [null, undefined, Number.NaN]) {
      for (const format of [
        formatCount,
        formatRate,
        formatMs,
        formatBytes,
        formatRatio,
        formatSpan,
        formatCompact,
      ]) {
        expect(format(value)).toBe('unknown');
      }
    }
    expect(formatEta(null)).toBe('unknown');
    expect(etaParts(null)).toEqual({ likely: 'unknown', range: null });
    expect(etaParts({ low: 5, likely: 5, high: 5 })).toEqual({ likely: '5 s', range: null });
  });
});

describe('durations', () => {
  it.each([
    ['PT1H', 3_600_000],
    ['P1D', 86_400_000],
    ['P1W', 604_800_000],
    ['PT10S', 10_000],
    ['PT0.5S', 500],
    ['P1DT6H30M', 109_800_000],
    ['P', null],
    ['PT', null],
    ['1h', null],
    ['P1M', null],
  ])('%s is %s ms', (text, ms) => {
    expect(parseDurationMs(text)).toBe(ms);
  });

  it.each([0, 500, 10_000, 3_600_000, 5_400_000, 86_400_000, 109_800_000])(
    '%s ms survives the way there and back',
    (ms) => {
      expect(parseDurationMs(isoDuration(ms))).toBe(ms);
    },
  );
});

describe('times', () => {
  it('leaves out what is nought', () => {
    expect(formatInstant('2001-01-01T00:00:00Z')).toBe('1 Jan 2001');
    expect(formatInstant('2001-01-31T06:05:00Z')).toBe('31 Jan 2001 06:05');
    expect(formatInstant('2001-01-31T06:05:09Z')).toBe('31 Jan 2001 06:05:09');
    expect(formatMoment('2001-01-31T00:00:00Z')).toBe('31 Jan 2001 00:00:00');
    expect(formatWindow({ from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' })).toBe(
      '1 Jan 2001 – 1 Feb 2001 UTC',
    );
    expect(isoInstant(Date.UTC(2001, 0, 1))).toBe('2001-01-01T00:00:00Z');
    expect(plainTimes('west was disconnected from 2001-06-01T09:25:00.000Z to 2001-06-02T00:00:00Z.')).toBe(
      'west was disconnected from 1 Jun 2001 09:25 UTC to 2 Jun 2001 UTC.',
    );
  });

  it.each([
    ['the example of 2026-11-01, unchanged', 'the example of 1 Nov 2026, unchanged'],
    ['as of 2026-11-01.', 'as of 1 Nov 2026.'],
    // What only looks like a day, or is a part of something else, is left as it was written.
    ['2001-02-31', '2001-02-31'],
    ['2001-13-01T00:00:00Z', '2001-13-01T00:00:00Z'],
    ['flights-2001-06-01-late.parquet', 'flights-2001-06-01-late.parquet'],
    ['feed-2001-06-01', 'feed-2001-06-01'],
    ['until 2001-06-01 09:25', 'until 1 Jun 2001 09:25'],
    ['2001-06-01T09:25', '2001-06-01T09:25'],
  ])('days inside %s', (text, plain) => {
    expect(plainTimes(text)).toBe(plain);
  });

  it.each([
    ['2001-01-31 06:00', Date.UTC(2001, 0, 31, 6)],
    ['2001-01-31', Date.UTC(2001, 0, 31)],
    ['2001-01-31T06:00:07Z', Date.UTC(2001, 0, 31, 6, 0, 7)],
    ['2001-02-30 00:00', null],
    ['2001-01-31 25:00', null],
    ['31.01.2001', null],
    ['', null],
  ])('typed %s', (text, ms) => {
    expect(fromInput(text)).toBe(ms);
    if (ms !== null) expect(fromInput(toInput(ms))).toBe(ms);
  });
});

describe('sentences of the server', () => {
  it.each([
    ['18943 events/s is above the safe rate of 1985.', '18,943 events/s is above the safe rate of 1,985.'],
    ['examples of 2026-11-01', 'examples of 2026-11-01'],
    ['bf_12345 from 2001-01-12T00:00:00.000Z', 'bf_12345 from 2001-01-12T00:00:00.000Z'],
    ['12345.5 s, INC-4711, 400 of 1000', '12345.5 s, INC-4711, 400 of 1,000'],
  ])('%s', (said, reads) => expect(groupDigits(said)).toBe(reads));
});
