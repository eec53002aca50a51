import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Source } from '@spillway/shared/api/pipeline';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { cancelAll, expect, startLong } from './started.ts';

const hour = { from: '2001-03-05T12:00:00.000Z', to: '2001-03-05T13:00:00.000Z' };

export interface OwnHistory {
  /** Of the hour that it holds, with nothing in its way: over within seconds. */
  replay(): Promise<string>;
  /** Ends what was started, and removes the source: what others start takes all that there are. */
  remove(): Promise<void>;
}

/** A source of a test's own in `folder`, counted: three rows that are events, and behind the first of them `broken` rows without a value. */
export async function addOwnHistory(
  system: StartedSystem,
  folder: string,
  { id, broken }: { readonly id: string; readonly broken: number },
): Promise<OwnHistory> {
  const file = join(folder, `${id}.jsonl`);
  const rows = [
    { at: '2001-03-05T12:00:00Z', key: 'SFO', value: 1 },
    ...Array.from({ length: broken }, () => ({ at: '2001-03-05T12:10:00Z', key: 'SFO' })),
    { at: '2001-03-05T12:20:00Z', key: 'SFO', value: 2 },
    { at: '2001-03-05T12:59:59Z', key: 'SFO', value: 3 },
  ];
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const { status, body } = await system.call('POST', '/v1/sources', {
    id,
    title: id,
    pipelineId: 'flights',
    history: { kind: 'jsonl', path: file, columns: { time: 'at', key: 'key', value: 'value' } },
  });
  expect(status, JSON.stringify(body)).toBe(201);
  const looked = async () => {
    const { events, failure } = (await system.call('GET', `/v1/sources/${id}`)).body as Source;
    return { counted: events !== null, failure };
  };
  await expect.poll(looked, { timeout: 30_000 }).toEqual({ counted: true, failure: null });
  return {
    async replay() {
      const started = await startLong(system, {
        sourceIds: [id],
        window: hour,
        limits: { eventsPerSecond: 10_000 },
      });
      return started.id;
    },
    async remove() {
      await cancelAll(system);
      expect((await system.call('DELETE', `/v1/sources/${id}`)).status).toBe(204);
    },
  };
}
