/** An operator's moves over REST, each checked for being accepted. For tests and the bench alike: a refusal is a plain error with the answer in it. */
import type { Backfill, PatchLimits, Receipt, StartBackfill } from '@spillway/shared/api/backfill';
import { accepted } from './api-client.ts';
import type { StartedSystem } from './started-system.ts';
import { until } from './until.ts';

type Called = Pick<StartedSystem, 'call'>;

export async function startBackfill(system: Called, body: Partial<StartBackfill>): Promise<Backfill> {
  const answer = await system.call('POST', '/v1/backfills', {
    pipelineId: 'flights',
    reason: 'test',
    ...body,
  });
  return accepted('start', 201, answer);
}

export async function readBackfill(system: Called, id: string): Promise<Backfill> {
  return accepted(`read ${id}`, 200, await system.call('GET', `/v1/backfills/${id}`));
}

/** Events of a pipeline whose store is ours: inserted, or there already. */
export function appliedIn({ progress }: Pick<Backfill, 'progress'>): number {
  return Number(progress.eventsApplied) + Number(progress.eventsDuplicate);
}

/** The one the demo made at its first start. */
export async function firstBackfill(system: Called): Promise<Backfill> {
  const { items } = (await system.call('GET', '/v1/backfills')).body;
  if (items.length !== 1) throw new Error(`one backfill expected, there are ${items.length}`);
  return items[0];
}

export async function command(
  system: Called,
  id: string,
  verb: 'pause' | 'resume' | 'cancel' | 'retry',
): Promise<Receipt> {
  const answer = await system.call('POST', `/v1/backfills/${id}/${verb}`, { reason: 'test' });
  return accepted(verb, 202, answer);
}

/** On the revision read just before. */
export async function throttle(system: Called, id: string, limits: PatchLimits): Promise<Receipt> {
  const { headers } = await system.call('GET', `/v1/backfills/${id}`);
  const answer = await system.call('PATCH', `/v1/backfills/${id}/limits`, limits, {
    'if-match': headers.get('etag') ?? '',
  });
  return accepted('throttle', 202, answer);
}

/** Polls until it is in one of the states; a failure that was not waited for ends the waiting. */
export async function untilState(
  system: Called,
  id: string,
  state: Backfill['state'] | readonly Backfill['state'][],
  patienceMs?: number,
): Promise<Backfill> {
  const states = [state].flat();
  let seen: Backfill | null = null;
  return until(
    `${id} ${states.join(' or ')}`,
    async () => {
      seen = await readBackfill(system, id);
      if (seen.state === 'failed' && !states.includes('failed'))
        throw new Error(`${id} failed: ${JSON.stringify(seen.failure)}`);
      return states.includes(seen.state) && seen;
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
