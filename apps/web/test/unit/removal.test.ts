import { expect, test } from 'vitest';
import { removalConsequences, whyItStays } from '../../src/features/pipeline/model/removal.ts';

const of = (ids: string[], leftOut = 0) => ({ items: ids.map((id) => ({ id })), leftOut });

test.each([
  ['nothing is unfinished', of([]), false, null],
  ['nobody knows yet', null, false, /not known yet/],
  ['one backfill', of(['bf_1']), false, /complete or cancel bf_1 first/],
  ['some', of(['bf_1', 'bf_2', 'bf_3']), false, /cancel bf_1, bf_2 and bf_3 first/],
  ['many', of(['bf_1', 'bf_2', 'bf_3', 'bf_4'], 9), false, /cancel bf_1, bf_2, bf_3 and 10 more first/],
  ['a drill', of([]), true, /fire drill/],
  ['a backfill, which does not end by itself, before a drill', of(['bf_1']), true, /bf_1/],
])('a pipeline stays, or may be removed: %s', (_what, backfills, drill, why) => {
  const said = whyItStays({ backfills, drill });
  if (why === null) expect(said).toBe(null);
  else expect(said).toMatch(why);
});

test('what is kept is said of either kind', () => {
  const external = { stream: 'orders' } as never;
  expect(removalConsequences({ kind: 'external', external }).join(' ')).toMatch(
    /the stream orders .* your store/,
  );
  expect(removalConsequences({ kind: 'built_in', external: null }).join(' ')).toMatch(/not made again/);
});
