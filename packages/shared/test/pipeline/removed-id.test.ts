import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { Id, PastPipelineId } from '../../src/api/primitives.ts';
import { nameOfRemoved, removedId } from '../../src/pipeline/removed-id.ts';

test.each(['orders', 'a.b-c_1', 'x'.repeat(64)])(
  'what %s is kept as no pipeline can be called, and tells its name',
  (id) => {
    const kept = removedId(id, 12_345);
    expect(Value.Check(Id, kept)).toBe(false);
    expect(Value.Check(PastPipelineId, kept)).toBe(true);
    expect(nameOfRemoved(kept)).toBe(id);
  },
);

test('one that is there has not been removed', () => {
  expect(nameOfRemoved('orders')).toBe(null);
  expect(Value.Check(PastPipelineId, 'orders')).toBe(true);
  expect(Value.Check(PastPipelineId, 'orders~')).toBe(false);
});
