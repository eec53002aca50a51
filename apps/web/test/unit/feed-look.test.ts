import { expect, it } from 'vitest';
import { feedLook } from '../../src/features/sources/model/source-look.ts';

it.each([
  ['a feed that is connected', { disconnectedAt: null }, 'good', 'Connected'],
  ['a feed that is cut', { disconnectedAt: '2001-03-05T12:00:00.000Z' }, 'warn', 'Disconnected'],
  ['no feed at all', { disconnectedAt: null, historyOnly: true }, 'quiet', 'None'],
] as const)('%s', (_what, source, tone, word) => {
  expect(feedLook(source)).toMatchObject({ tone, word });
});
