import { expect, it } from 'vitest';
import { goneIds, heldRows } from '../../src/features/backfill/model/row-hold.ts';

const row = (id: string, state = 'running') => ({ id, state });
const held = [row('bf_1'), row('bf_2'), row('bf_3')];

it('keeps rows in their places while the list behind them is another one, and their contents are those of now', () => {
  const list = [row('bf_4'), row('bf_3', 'paused'), row('bf_1')];
  expect(heldRows(held, list, [row('bf_2', 'completed')])).toEqual([
    row('bf_1'),
    row('bf_2', 'completed'),
    row('bf_3', 'paused'),
  ]);
});

it('keeps a row that has left the list as it was last seen, where nothing newer is known', () => {
  expect(heldRows(held, [row('bf_1')], [])).toEqual(held);
  expect(goneIds(held, [row('bf_1'), row('bf_9')])).toEqual(['bf_2', 'bf_3']);
});
