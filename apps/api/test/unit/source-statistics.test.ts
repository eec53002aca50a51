/** What is told of a source once it has been looked at: its counts, or why it is none. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReportStatistics } from '@spillway/shared/api/worker-protocol';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLineSource } from '../../src/adapters/source-jsonl/line-source.ts';
import { ControlError } from '../../src/data-plane/control/control-client.ts';
import type { HistorySource } from '../../src/data-plane/ports.ts';
import { reportStatistics, type StatisticsParts } from '../../src/data-plane/replay/statistics.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'statistics-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** By source; whether it counts as one that could not be counted. */
async function told(
  history: Partial<HistorySource>,
  sourceIds: readonly string[] = ['s'],
  control: StatisticsParts['control'] | null = null,
  isCurrent: StatisticsParts['isCurrent'] = () => true,
) {
  const reports: ReportStatistics[] = [];
  let couldNot: boolean | null = null;
  await reportStatistics(
    {
      control: control ?? { reportStatistics: async (_worker, report) => void reports.push(report) },
      historyOf: () => history as HistorySource,
      isCurrent,
      signal: new AbortController().signal,
      clock: { monotonic: () => 0 },
    },
    'wk',
    {
      sources: sourceIds.map((sourceId) => ({ sourceId, connector: 'jsonl', config: {}, fingerprint: null })),
    } as never,
    { before: async () => undefined, after: (_sources, { failed }) => void (couldNot = failed) },
  );
  return {
    failures: reports.map(({ failure }) => failure),
    quarantined: reports.map(({ rowsQuarantined }) => rowsQuarantined),
    couldNot,
  };
}

function lines(text: string, sources: Record<string, string[] | null> = { s: null }): HistorySource {
  const path = join(folder, 'e.jsonl');
  writeFileSync(path, text);
  const columns = { time: 't', key: 'k', value: 'v' };
  return openLineSource({ kind: 'jsonl', path, columns, sources }, { folders: null });
}
const row = (fields: object) =>
  `${JSON.stringify({ t: '2001-01-01T00:00:00Z', k: 'oslo', v: 1, ...fields })}\n`;

test('of a history that is nobody’s any more nothing is read on', async () => {
  const read: string[] = [];
  let sources = 1;
  const left: Partial<HistorySource> = {
    describe: async () => {
      read.push('describe');
      sources = 0;
      return { fingerprint: 'f', range: { from: 0, to: 1 }, rows: 1, bytes: 1 };
    },
    count: async () => {
      read.push('count');
      throw new Error('closed');
    },
  };
  expect(await told(left, ['s'], null, () => sources > 0)).toMatchObject({ failures: [], couldNot: false });
  expect(await told(left, ['s'], null, () => sources > 0)).toMatchObject({ failures: [], couldNot: false });
  expect(read).toEqual(['describe']);
});

test('what could not be told for long is not told of the history that has followed', async () => {
  let asked = 0;
  let isCurrent = true;
  const control: StatisticsParts['control'] = {
    reportStatistics: async () => {
      asked += 1;
      isCurrent = false;
      throw new ControlError('unreachable', 'nothing listens there');
    },
  };
  await told(lines(row({})), ['s'], control, () => isCurrent);
  expect(asked).toBe(1);
});

test('without a row it is missing', async () => {
  const empty: Partial<HistorySource> = {
    describe: async () => ({ fingerprint: 'f', range: { from: 0, to: 0 }, rows: 0, bytes: 0 }),
  };
  expect(await told(empty)).toMatchObject({ failures: [{ code: 'source_missing' }], couldNot: true });
});

test.each([
  ['a column that no line has', row({ k: undefined }), 'k is missing'],
  ['a time that is none', row({ t: 'yesterday' }), 't is no time (timeFormat text)'],
  ['a measure that is text', row({ v: 'much' }), 'v is not a safe integer'],
  ['another format', 'Obj\u0001avro.schema\n', 'not JSON'],
])('with rows of which none is an event it is refused, by the first: %s', async (_what, line, detail) => {
  // More than one batch of them.
  const { failures, couldNot } = await told(lines(line.repeat(2_500)));
  expect(failures).toEqual([
    {
      code: 'source_schema',
      detail: `none of its 2500 rows is an event: e.jsonl line 1: ${detail}`,
      address: 'e.jsonl line 1',
    },
  ]);
  // It is not read again until there is something else.
  expect(couldNot).toBe(false);
});

test.each([
  ['one event among them', row({ v: 'much' }) + row({}), { s: null }, [1]],
  ['events alone', row({}) + row({}), { s: null }, [0]],
  ['rows of other keys', row({ k: 'bergen' }) + row({ v: 'much' }), { s: ['oslo'] }, [1]],
  [
    'events of one of two that share it',
    row({}) + row({ k: 'bergen', v: 'much' }) + row({ k: undefined }),
    { s: ['oslo'], t: ['bergen'] },
    [1, 1],
  ],
])(
  'with %s it is a source, and the others are quarantined when they are read: so many',
  async (_what, text, sources, rows) => {
    const { failures, quarantined } = await told(lines(text, sources), Object.keys(sources));
    expect(failures).toEqual(rows.map(() => null));
    expect(quarantined).toEqual(rows);
  },
);

test('an estimate of nothing says nothing', async () => {
  const sampled: Partial<HistorySource> = {
    describe: async () => ({ fingerprint: 'f', range: { from: 0, to: 1 }, rows: 9, bytes: 9 }),
    count: async () => ({
      from: 0,
      stepMs: 60_000,
      counts: {},
      quarantined: null,
      laps: null,
      estimated: true,
    }),
  };
  expect(await told(sampled)).toMatchObject({ failures: [null], quarantined: [undefined] });
});

test('counts that are not taken, for a proxy’s limit of a body say, are told as a failure with the reason', async () => {
  const heard: ReportStatistics[] = [];
  const refusing = {
    reportStatistics: async (_worker: string, report: ReportStatistics) => {
      if (report.failure === null)
        throw new ControlError('refused', '/statistics: 413 <html>too large</html>');
      heard.push(report);
    },
  };
  await told(lines(row({})), ['s'], refusing);
  expect(heard).toMatchObject([
    {
      sourceId: 's',
      failure: {
        code: 'attempt_failed',
        detail: 'its counts were not taken: /statistics: 413 <html>too large</html>',
      },
    },
  ]);
});
