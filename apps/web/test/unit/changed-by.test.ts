import { describe, expect, it } from 'vitest';
import {
  type LiveSnapshot,
  type MarkerEntry,
  serverAtMostMs,
} from '../../src/features/telemetry/model/live-store.ts';
import { changedBy } from '../../src/features/telemetry/model/markers.ts';

const begunMs = Date.parse('2026-01-01T00:10:00Z');
const marker = (at: string, actor: string, action = 'pipeline.configure'): MarkerEntry => ({
  at: `2026-01-01T00:${at}Z`,
  actor,
  action,
  backfillId: null,
  detail: null,
});
const isSuch = ({ action }: MarkerEntry) => action === 'pipeline.configure';

describe('who changed what a stale edit is about', () => {
  it('is who changed it since the edit began', () => {
    const markers = [
      marker('09:00', 'mira'),
      marker('11:00', 'jonas'),
      marker('12:00', 'ada', 'drill.start'),
    ];
    expect(changedBy(markers, begunMs, isSuch)?.actor).toBe('jonas');
  });

  it('is not the one who made the change that the edit began from', () => {
    expect(changedBy([marker('09:59', 'mira'), marker('10:00', 'mira')], begunMs, isSuch)).toBeUndefined();
  });

  it('is not who changed it just before the edit began, though telemetry was some seconds old', () => {
    const snapshot = {
      receivedAtMs: 5_000,
      pipelines: { flights: { atMs: begunMs } },
    } as unknown as LiveSnapshot;
    const sinceMs = serverAtMostMs(snapshot, 'flights', 8_000);
    expect(changedBy([marker('10:03', 'mira')], sinceMs, isSuch)).toBeUndefined();
    expect(changedBy([marker('10:06', 'jonas')], sinceMs, isSuch)?.actor).toBe('jonas');
    expect(serverAtMostMs(snapshot, 'another', 8_000)).toBeNull();
  });

  it('is nobody known where several changed something meanwhile, or the beginning is not known', () => {
    expect(
      changedBy([marker('11:00', 'jonas'), marker('12:00', 'mira')], begunMs, isSuch),
      'whose of them it met cannot be told',
    ).toBeUndefined();
    expect(changedBy([marker('11:00', 'jonas')], null, isSuch)).toBeUndefined();
  });

  it('is the newest of one person’s', () => {
    expect(changedBy([marker('11:00', 'jonas'), marker('12:00', 'jonas')], begunMs, isSuch)?.at).toBe(
      '2026-01-01T00:12:00Z',
    );
  });
});
