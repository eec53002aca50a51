import { createMemoryHistory } from '@tanstack/react-router';
import { describe, expect, it } from 'vitest';
import { makeRouter } from '../../src/app/router.tsx';
import { type NowSearch, nowSearch } from '../../src/features/now/model/now-search.ts';

function from(address: string) {
  const router = makeRouter({} as Parameters<typeof makeRouter>[0]);
  router.update({
    ...router.options,
    context: router.options.context,
    history: createMemoryHistory({ initialEntries: [address] }),
  });
  return router;
}

describe('from screen to screen', () => {
  it.each([
    '/',
    '/pipeline',
    '/streams',
    '/cost',
    '/readiness',
    '/backfills/new',
    // Of all of them, and on the way from one to another.
    '/backfills',
    '/audit',
    '/settings',
  ] as const)('the pipeline that was chosen goes along to %s, and from there', (to) => {
    expect(from('/streams?pipeline=airports').buildLocation({ to }).href).toBe(`${to}?pipeline=airports`);
    expect(from('/streams').buildLocation({ to }).href).toBe(to);
    expect(from(`${to}?pipeline=airports`).buildLocation({ to: '/cost' }).href).toBe(
      '/cost?pipeline=airports',
    );
  });

  it('it goes along to a backfill, and from there', () => {
    const to = '/backfills/$backfillId';
    const { href } = from('/backfills?pipeline=airports').buildLocation({
      to,
      params: { backfillId: 'bf_1' },
    });
    expect(href).toBe('/backfills/bf_1?pipeline=airports');
    expect(from(href).buildLocation({ to: '/' }).href).toBe('/?pipeline=airports');
  });

  it('what Now is asked to show goes before what was chosen, and before the moment', () => {
    const router = from('/?pipeline=airports&at=2026-01-01T00:00:00Z');
    const hrefOf = (search: NowSearch) => router.buildLocation({ to: '/', search }).href;
    expect(hrefOf({ pipeline: 'us', at: undefined })).toBe('/?pipeline=us');
    expect(hrefOf({ pipeline: undefined, at: undefined })).toBe('/');
  });

  it('one that is named is the one', () => {
    const { href } = from('/streams?pipeline=airports').buildLocation({
      to: '/',
      search: { pipeline: 'us' },
    });
    expect(href).toBe('/?pipeline=us');
  });

  it('the moment that is looked at goes along, where there is a time bar', () => {
    const router = from('/?pipeline=airports&at=2026-01-01T00:00:00Z');
    const parametersAt = (to: '/pipeline' | '/cost') => Object.keys(router.buildLocation({ to }).search);
    expect(parametersAt('/pipeline').sort()).toEqual(['at', 'pipeline']);
    expect(parametersAt('/cost')).toEqual(['pipeline']);
  });
});

it.each([
  ['it stays where it is', null, ['us', 'airports'], 'airports', {}],
  ['a pipeline that is not there is left behind', null, ['us'], 'gone', { pipeline: undefined }],
  ['not while none is known', null, [], 'gone', {}],
  [
    'to the one at risk, as it is now',
    'us',
    ['us', 'airports'],
    'airports',
    { pipeline: 'us', at: undefined },
  ],
  ['the only one needs no name', 'us', ['us'], undefined, { pipeline: undefined, at: undefined }],
] as const)('the way to Now: %s', (_what, risk, ids, chosen, search) => {
  expect(nowSearch({ risk, ids, chosen })).toStrictEqual(search);
});
