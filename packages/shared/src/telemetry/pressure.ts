import type { pressures } from '../api/pipeline.ts';

/** Share of its time a stage waited for the next one: up to 0.10 is ok, up to 0.50 low, above it high. */
export function pressureOf(blockedRatio: number | null): (typeof pressures)[number] {
  if (blockedRatio === null) return 'unknown';
  if (blockedRatio <= 0.1) return 'ok';
  return blockedRatio <= 0.5 ? 'low' : 'high';
}

/** How full a buffer is against its limit: up to half is ok, up to nine tenths low, above it high. */
export function fillPressureOf(length: number | null, limit: number): (typeof pressures)[number] {
  if (length === null) return 'unknown';
  if (length <= limit * 0.5) return 'ok';
  return length <= limit * 0.9 ? 'low' : 'high';
}
