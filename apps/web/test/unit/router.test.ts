import { createMemoryHistory } from '@tanstack/react-router';
import { describe, expect, it } from 'vitest';
import { makeRouter } from '../../src/app/router.tsx';

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
  it.each(['/', '/pipeline', '/streams', '/cost', '/readiness', '/backfills/new'] as const)(
    '%s is about the pipeline that was chosen',
    (to) => {
      expect(from('/streams?pipeline=airports').buildLocation({ to }).href).toBe(`${to}?pipeline=airports`);
      expect(from('/streams').buildLocation({ to }).href).toBe(to);
    },
  );

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
