/** An operator's moves over REST, each checked for being accepted. */
import type { Backfill, PatchLimits, Receipt, StartBackfill } from '@spillway/shared/api/backfill';
import { expect } from 'vitest';
import type { StartedSystem } from './started-system.ts';
import { until } from './until.ts';

type Called = Pick<StartedSystem, 'call'>;

export async function startBackfill(system: Called, body: Partial<StartBackfill>): Promise<Backfill> {
  const answer = await system.call('POST', '/v1/backfills', {
    pipelineId: 'flights',
    reason: 'test',
    ...body,
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(201);
  return answer.body;
}

export async function readBackfill(system: Called, id: string): Promise<Backfill> {
  const answer = await system.call('GET', `/v1/backfills/${id}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body;
}

/** The one the demo made at its first start. */
export async function firstBackfill(system: Called): Promise<Backfill> {
  const { items } = (await system.call('GET', '/v1/backfills')).body;
  expect(items).toHaveLength(1);
  return items[0];
}

export async function command(
  system: Called,
  id: string,
  verb: 'pause' | 'resume' | 'cancel' | 'retry',
): Promise<Receipt> {
  const answer = await system.call('POST', `/v1/backfills/${id}/${verb}`, { reason: 'test' });
  expect(answer.status, `${verb}: ${JSON.stringify(answer.body)}`).toBe(202);
  return answer.body;
}

/** On the revision read just before. */
export async function throttle(system: Called, id: string, limits: PatchLimits): Promise<Receipt> {
  const { headers } = await system.call('GET', `/v1/backfills/${id}`);
  const answer = await system.call('PATCH', `/v1/backfills/${id}/limits`, limits, {
    'if-match': headers.get('etag') ?? '',
  });
  expect(answer.status, JSON.stringify(answer.body)).toBe(202);
  return answer.body;
}

/** Polls; a failure that was not waited for ends the waiting. */
export async function untilState(
  system: Called,
  id: string,
  state: Backfill['state'],
  patienceMs?: number,
): Promise<Backfill> {
  let seen: Backfill | null = null;
  return until(
    `${id} ${state}`,
    async () => {
      seen = await readBackfill(system, id);
      if (seen.state === 'failed' && state !== 'failed')
        throw new Error(`${id} failed: ${JSON.stringify(seen.failure)}`);
      return seen.state === state && seen;
    },
    {
      ...(patienceMs === undefined ? {} : { patienceMs }),
      lastSeen: () =>
        seen && {
          state: seen.state,
          progress: seen.progress,
          effective: seen.effective,
          verification: seen.verification,
        },
    },
  );
}

export async function untilEffective(system: Called, receipt: Receipt): Promise<Receipt> {
  return until(`${receipt.verb} in effect`, async () => {
    const seen: Receipt = (await system.call('GET', `/v1/commands/${receipt.id}`)).body;
    return seen.effectiveAt !== null && seen;
  });
}

/** Counted, calibrated, and with nothing replaying: what a test of one backfill begins with. */
export async function quiet(system: Called): Promise<void> {
  await untilMeasured(system);
  const first = await firstBackfill(system);
  await command(system, first.id, 'cancel');
  await untilState(system, first.id, 'cancelled');
}

export async function untilMeasured(system: Called): Promise<void> {
  await until('capacity and counts', async () => {
    const pipeline = (await system.call('GET', '/v1/pipelines/flights')).body;
    const sources: { statistics: unknown }[] = (await system.call('GET', '/v1/sources')).body.items;
    return (
      pipeline.capacity.eventsPerSecond !== null && sources.every(({ statistics }) => statistics !== null)
    );
  });
}
