/** An admin's and an operator's moves on the demo's pipeline and its sources, each checked for being accepted. */
import type { Drill, GovernorView } from '@spillway/shared/api/governor';
import type { PatchPipeline, Pipeline, Source } from '@spillway/shared/api/pipeline';
import { accepted } from './api-client.ts';
import type { StartedSystem } from './started-system.ts';

type Called = Pick<StartedSystem, 'call'>;

const FLIGHTS = '/v1/pipelines/flights';

/**
 * For a system that has not got the machine to itself: several on two cores cannot keep live within 100 ms, and the governor would rightly hold
 * replay to next to nothing for as long as a test waits for it. What the governor does about a target is tested where one is set for it.
 */
export const besideOthers: PatchPipeline = {
  signals: { liveFreshnessMsP99: { target: 60_000, failMode: 'bad' } },
};

export async function readPipeline(system: Called): Promise<Pipeline> {
  return accepted('read the pipeline', 200, await system.call('GET', FLIGHTS));
}

/** On the revision read just before. */
export async function configurePipeline(system: Called, patch: PatchPipeline): Promise<Pipeline> {
  const { headers } = await system.call('GET', FLIGHTS);
  const answer = await system.call('PATCH', FLIGHTS, patch, { 'if-match': headers.get('etag') ?? '' });
  return accepted(`configure ${JSON.stringify(patch)}`, 200, answer);
}

export async function readGovernor(system: Called): Promise<GovernorView> {
  return accepted('read the governor', 200, await system.call('GET', `${FLIGHTS}/governor`));
}

export async function startDrill(system: Called, forMs: number): Promise<Drill> {
  return accepted('start a drill', 202, await system.call('POST', `${FLIGHTS}/drills`, { forMs }));
}

export async function readDrill(system: Called, id: string): Promise<Drill> {
  return accepted(`read drill ${id}`, 200, await system.call('GET', `${FLIGHTS}/drills/${id}`));
}

export async function reportFeed(
  system: Called,
  sourceId: string,
  report: 'disconnected' | 'reconnected',
): Promise<Source> {
  return accepted(report, 200, await system.call('POST', `/v1/sources/${sourceId}/${report}`, {}));
}
