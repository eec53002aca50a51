import { expect, test } from 'vitest';
import { removalConsequences, whyItStays } from '../../src/features/pipeline/model/removal.ts';

const of = (ids: string[], leftOut = 0) => ({ items: ids.map((id) => ({ id })), leftOut });

test.each([
  ['nothing is unfinished', of([]), false, null],
  ['nobody knows yet', null, false, /not known yet/],
  ['one backfill', of(['bf_1']), false, /a backfill is not finished: complete or cancel it first/, 1, 0],
  ['some', of(['bf_1', 'bf_2', 'bf_3']), false, /3 backfills are .* cancel them first/, 3, 0],
  ['many', of(['bf_1', 'bf_2', 'bf_3', 'bf_4'], 9), false, /13 backfills are/, 3, 10],
  ['a drill', of([]), true, /fire drill/],
  ['a backfill, which does not end by itself, before a drill', of(['bf_1']), true, /a backfill/, 1, 0],
])('a pipeline stays, or may be removed: %s', (_what, backfills, drill, why, named = 0, others = 0) => {
  const stay = whyItStays({ backfills, drill });
  if (why === null) return expect(stay).toBe(null);
  expect(stay?.sentence).toMatch(why);
  expect(stay?.sentence, 'an id is no sentence').not.toContain('bf_');
  expect([stay?.named.length, stay?.others]).toEqual([named, others]);
});

test('what is kept is said of either kind', () => {
  const external = { stream: 'orders' } as never;
  expect(removalConsequences({ kind: 'external', external }).join(' ')).toMatch(
    /the stream orders .* your store/,
  );
  expect(removalConsequences({ kind: 'built_in', external: null }).join(' ')).toMatch(/not made again/);
});
