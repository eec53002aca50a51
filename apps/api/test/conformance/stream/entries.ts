import type { StreamEntry } from '../../../src/data-plane/ports.ts';

export function liveEvent(id: string, publishedAt = Date.now()): StreamEntry {
  return {
    type: 'event',
    event: { id, sourceId: 'west', key: 'LAX', at: 991_353_600_000, value: -7 },
    publisher: { kind: 'live' },
    publishedAt,
  };
}

/** `count` events named `name#0`, `name#1`, … */
export function liveEvents(name: string, count: number, from = 0): StreamEntry[] {
  return Array.from({ length: count }, (_, index) => liveEvent(`${name}#${from + index}`));
}

export function idOf(entry: StreamEntry): string {
  return entry.type === 'event' ? entry.event.id : `marker of ${entry.leaseId}`;
}
