import { expect, test, vi } from 'vitest';
import { historyCatalogue } from '../../src/choose-history.ts';

const source = (password: string) => ({
  connector: 'postgres',
  config: {
    kind: 'postgres',
    url: `postgres://reader:${password}@127.0.0.1:1/archive`,
    table: 'flights',
    columns: { time: 't', key: 'k', value: 'v', id: 'i' },
    sources: { east: null },
  },
});

test('one history for each configuration, until no source has it; one that comes again is opened anew', () => {
  const { historyOf, closeHistoriesBut } = historyCatalogue({ sourceDirs: [] });
  const [stays, goes] = [historyOf(source('new')), historyOf(source('old'))];
  const [closesStaying, closesGoing] = [vi.spyOn(stays, 'close'), vi.spyOn(goes, 'close')];
  closeHistoriesBut([source('new'), source('never opened')]);
  expect([closesStaying.mock.calls.length, closesGoing.mock.calls.length]).toEqual([0, 1]);
  expect(historyOf(source('new'))).toBe(stays);
  expect(historyOf(source('old'))).not.toBe(goes);
});
