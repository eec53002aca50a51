import { expect, it } from 'vitest';
import { feedLook } from '../../src/features/sources/model/source-look.ts';

it.each([
  ['a feed that is connected', { state: 'connected' }, 'good', 'Connected'],
  ['a feed that is cut', { state: 'disconnected' }, 'warn', 'Disconnected'],
  ['no feed at all', { state: 'connected', historyOnly: true }, 'quiet', 'None'],
  ['no feed, and a history that has failed', { state: 'failed', historyOnly: true }, 'bad', 'Failed'],
] as const)('%s', (_what, source, tone, word) => {
  expect(feedLook(source)).toMatchObject({ tone, word });
});
