/** The Redis side of the by-hand replay: live traffic, and what is known of a stream. */
import type { Redis } from 'iovalkey';

export const GROUP = 'by-hand';
export type Topology = 'separate' | 'shared';

export function replayStreamOf(topology: Topology): string {
  return topology === 'shared' ? 'live' : 'replay';
}

export async function createStreams(redis: Redis): Promise<void> {
  for (const stream of ['live', 'replay']) {
    await redis.del(stream);
    await redis.xgroup('CREATE', stream, GROUP, '0', 'MKSTREAM');
  }
}

const LIVE_EVERY_MS = 20;

/** Publishes at a constant rate until it is told to stop. */
export function publishLive(redis: Redis, eventsPerSecond: number): () => void {
  let published = 0;
  const fromMs = performance.now();
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - fromMs) / 1000) * eventsPerSecond);
    const pipeline = redis.pipeline();
    for (; published < due; published++) {
      const now = String(Date.now());
      const key = `K${published % 200}`;
      pipeline.xadd('live', '*', 'id', `live:${published}`, 'key', key, 'at', now, 'value', '1', 'ts', now);
    }
    void pipeline.exec();
  }, LIVE_EVERY_MS);
  return () => clearInterval(timer);
}

/** Entries that the group has not finished with: not yet delivered, and delivered but not acknowledged. */
export async function backlog(redis: Redis, stream: string): Promise<{ waiting: number; pending: number }> {
  const groups = (await redis.xinfo('GROUPS', stream)) as (string | number)[][];
  const fields = groups[0] ?? [];
  const value = (name: string) => Number(fields[fields.indexOf(name) + 1] ?? 0);
  return { waiting: value('lag'), pending: value('pending') };
}
