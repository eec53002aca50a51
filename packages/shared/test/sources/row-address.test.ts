import { expect, test } from 'vitest';
import { compareAddresses } from '../../src/sources/row-address.ts';

test.each([
  ['a.jsonl line 9', 'a.jsonl line 10', 'a.jsonl line 10 lap 2', 'b.jsonl line 2'],
  ['part-2.parquet row 7', 'part-10.parquet row 1', 'part-10.parquet row 12'],
  ['orders[2]@99', 'orders[2]@100', 'orders[10]@1'],
  ['public.flights id 9', 'public.flights id 9007199254740993', 'public.flights id abc'],
])('rows are told in the order in which people count them: %s', (...inOrder) => {
  expect(inOrder.toReversed().toSorted(compareAddresses)).toEqual(inOrder);
});
