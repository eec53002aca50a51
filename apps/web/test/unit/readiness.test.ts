import type { ReadinessAnswer, ReadinessItem } from '@spillway/shared/api/readiness';
import { describe, expect, it } from 'vitest';
import {
  comesFirst,
  evidenceParts,
  groupsOf,
  openOf,
  placeOf,
  summaryOf,
} from '../../src/features/readiness/model/readiness-words.ts';

const item = (id: ReadinessItem['id'], answer: ReadinessAnswer, group: ReadinessItem['group'] = 'rate') =>
  ({ id, answer, group }) as ReadinessItem;

describe('the checklist in words', () => {
  it.each([
    [{ yes: 9, no: 2, unknown: 1 }, '9 of 12 yes, 2 no, 1 unknown'],
    [{ yes: 12, no: 0, unknown: 0 }, '12 of 12 yes'],
    [{ yes: 11, no: 0, unknown: 1 }, '11 of 12 yes, 1 unknown'],
    [{ yes: 0, no: 12, unknown: 0 }, '0 of 12 yes, 12 no'],
  ])('%j reads "%s"', (counts, text) => {
    expect(summaryOf({ counts, items: Array(12).fill(null) })).toBe(text);
  });

  it('missing workers come before all else', () => {
    const missing = item('workers_present', 'no');
    expect(comesFirst([item('rate_explicit', 'no'), missing])).toBe(missing);
    expect(comesFirst([item('rate_explicit', 'no'), item('workers_present', 'yes')])).toBeNull();
  });

  it('what is open: the no first, each in its order', () => {
    const items = [
      item('rate_explicit', 'unknown'),
      item('capacity_known', 'no'),
      item('live_first', 'yes'),
      item('cost_known', 'no'),
    ];
    expect(openOf(items).map(({ id }) => id)).toEqual(['capacity_known', 'cost_known', 'rate_explicit']);
  });

  it('groups keep the order of the questions, whatever is answered, and none is empty', () => {
    const answered = (answer: ReadinessAnswer) =>
      groupsOf([
        item('cost_known', answer, 'backfills'),
        item('capacity_known', 'yes'),
        item('rate_explicit', answer),
      ]).map(({ group, items }) => [group, items.map(({ id }) => id)]);
    expect(answered('yes')).toEqual([
      ['rate', ['capacity_known', 'rate_explicit']],
      ['backfills', ['cost_known']],
    ]);
    expect(answered('no')).toEqual(answered('yes'));
  });

  it.each([
    [
      '/pipeline?pipeline=flights#replay-share',
      { to: '/pipeline', search: { pipeline: 'flights' }, hash: 'replay-share' },
    ],
    ['/streams?pipeline=a.b', { to: '/streams', search: { pipeline: 'a.b' }, hash: '' }],
    ['/backfills/bf_9', { to: '/backfills/bf_9', search: {}, hash: '' }],
  ])('%s is a place of this site', (setting, place) => {
    expect(placeOf(setting)).toEqual(place);
  });

  it('commands in evidence stand out', () => {
    expect(evidenceParts('Run `pnpm worker` here.')).toEqual([
      { text: 'Run ', code: false },
      { text: 'pnpm worker', code: true },
      { text: ' here.', code: false },
    ]);
    expect(evidenceParts('Nothing to run.')).toEqual([{ text: 'Nothing to run.', code: false }]);
  });
});
