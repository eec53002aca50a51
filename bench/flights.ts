/** What several arms do with the started demo: clear the way, start a backfill, wait for a state. */
import type { Backfill, Receipt } from '@spillway/shared/api/backfill';
import { type StartedSystem, startSystem } from '../apps/api/test/system/started-system.ts';

export const january = { from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' };
export const halfYear = { from: '2001-01-01T00:00:00Z', to: '2001-07-01T00:00:00Z' };

const LOOK_MS = 50;
const PATIENCE_MS = 15 * 60_000;

/** Started, counted, calibrated, and with nothing replaying. */
export async function quietSystem(env: Record<string, string> = {}): Promise<StartedSystem> {
  const system = await startSystem({ env });
  await until('capacity and counts', async () => {
    const pipeline = (await system.call('GET', '/v1/pipelines/flights')).body;
    const sources = (await system.call('GET', '/v1/sources')).body.items;
    return (
      pipeline.capacity.eventsPerSecond !== null &&
      sources.every((source: { statistics: unknown }) => source.statistics !== null)
    );
  });
  const first = (await system.call('GET', '/v1/backfills')).body.items[0] as Backfill | undefined;
  if (first !== undefined) await cancel(system, first.id);
  return system;
}

export async function start(system: StartedSystem, body: Record<string, unknown>): Promise<Backfill> {
  const answer = await system.call('POST', '/v1/backfills', {
    pipelineId: 'flights',
    reason: 'bench',
    ...body,
  });
  if (answer.status !== 201) throw new Error(`not started: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

export async function read(system: StartedSystem, id: string): Promise<Backfill> {
  return (await system.call('GET', `/v1/backfills/${id}`)).body;
}

export async function cancel(system: StartedSystem, id: string): Promise<void> {
  await system.call('POST', `/v1/backfills/${id}/cancel`, { reason: 'bench' });
  await untilState(system, id, ['cancelled', 'completed', 'failed']);
}

export async function untilState(
  system: StartedSystem,
  id: string,
  states: readonly Backfill['state'][],
): Promise<Backfill> {
  let seen = await read(system, id);
  await until(`${id} ${states.join(' or ')}`, async () => {
    seen = await read(system, id);
    if (seen.state === 'failed' && !states.includes('failed'))
      throw new Error(`${id} failed: ${JSON.stringify(seen.failure)}`);
    return states.includes(seen.state);
  });
  return seen;
}

export async function untilEffective(system: StartedSystem, receipt: Receipt): Promise<Receipt> {
  let seen = receipt;
  await until(`receipt ${receipt.id}`, async () => {
    seen = (await system.call('GET', `/v1/commands/${receipt.id}`)).body;
    return seen.effectiveAt !== null;
  });
  return seen;
}

/** Polls a real condition; gives up loudly. */
export async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await pause(LOOK_MS);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
