/**
 * Moments that can be asked for, epoch ms: years 1 to 9999. There is no year 0 in the calendar of a database, and none with five digits in
 * RFC 3339.
 */
export const CALENDAR_FROM_MS = Date.parse('0001-01-01T00:00:00.000Z');
export const CALENDAR_TO_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** So long before, or the first moment there is. */
export function before(atMs: number, spanMs: number): number {
  return Math.max(CALENDAR_FROM_MS, atMs - spanMs);
}
