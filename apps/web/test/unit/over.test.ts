import { expect, it } from 'vitest';
import { overWords } from '../../src/features/backfill/model/over.ts';

it.each([
  ['cancel', 'running', ['cancel'], null],
  ['cancel', 'completed', [], 'It is completed now: it cannot be cancelled any more.'],
  ['cancel', 'cancelling', [], 'It is cancelling now: it cannot be cancelled any more.'],
  ['cancel', 'running', [], 'By your rights it cannot be cancelled any more.'],
  ['throttle', 'paused', ['resume', 'throttle'], null],
  ['throttle', 'verifying', ['cancel'], 'It is verifying now: its limit cannot be changed any more.'],
] as const)('a dialog that asks to %s one that is %s and allows %j: %s', (verb, state, allowed, words) => {
  expect(overWords({ state, allowedActions: [...allowed] }, verb)).toBe(words);
});
