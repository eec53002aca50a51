import type { Backfill } from '@spillway/shared/api/backfill';
import type { Alert } from '@spillway/shared/api/governor';
import { expect, test } from 'vitest';
import { createChanges } from '../../src/control-plane/changes.ts';
import { keepStanding } from '../../src/control-plane/past/standing.ts';

const changes = createChanges();
const tell = (
  id: string,
  state: Backfill['state'],
  createdAt = '2026-01-01T00:00:00Z',
  pipelineId = 'flights',
) =>
  changes.publish({
    event: 'backfill',
    data: { backfill: { id, state, createdAt, pipelineId } as Backfill },
  });
const alert = (id: string, detail: string, clearedAt: string | null = null) =>
  changes.publish({
    event: 'alert',
    data: { alert: { id, detail, clearedAt, pipelineId: 'flights' } as Alert },
  });

test('those at work first, then those that need somebody, then those that wait; what is final is gone', () => {
  const standing = keepStanding(changes);
  tell('bf_queued', 'queued', '2026-01-05T00:00:00Z');
  tell('bf_failed', 'failed');
  tell('bf_old', 'running', '2026-01-02T00:00:00Z');
  tell('bf_new', 'pausing', '2026-01-03T00:00:00Z');
  tell('bf_done', 'running');
  tell('bf_done', 'completed');
  tell('bf_elsewhere', 'running', '2026-01-01T00:00:00Z', 'other');
  expect(standing.of('flights').backfills.map(({ id }) => id)).toEqual([
    'bf_new',
    'bf_old',
    'bf_failed',
    'bf_queued',
  ]);
  expect(standing.of('flights').unfinished).toBe(4);
  expect(standing.of('nobody')).toEqual({ backfills: [], unfinished: 0, alerts: [] });
});

test('ten thousand that wait are counted, and push out none that works', () => {
  const standing = keepStanding(changes);
  tell('bf_works', 'running', '2020-01-01T00:00:00Z');
  for (let index = 0; index < 10_000; index++) tell(`bf_${index}`, 'queued', `2026-02-01T00:00:00.${index}Z`);
  const { backfills, unfinished } = standing.of('flights');
  expect(unfinished).toBe(10_001);
  expect(backfills.length).toBeLessThanOrEqual(200);
  expect(backfills[0]?.id).toBe('bf_works');
});

test('an alert says what it said last, until it is cleared', () => {
  const standing = keepStanding(changes);
  alert('al_1', 'for 1 s');
  alert('al_1', 'for 5 s');
  expect(standing.of('flights').alerts.map(({ detail }) => detail)).toEqual(['for 5 s']);
  alert('al_1', 'for 9 s', '2026-01-01T00:01:00Z');
  expect(standing.of('flights').alerts).toEqual([]);
});
