import type { WorkerResource } from '@spillway/shared/api/session';
import { IconCircleCheck, IconHeartOff, IconPlayerPause } from '@tabler/icons-react';
import type { Tone } from '../../../components/badge.tsx';

/** A state is always colour, icon and word. */
export const workerLooks: Readonly<
  Record<
    WorkerResource['state'],
    { readonly tone: Tone; readonly word: string; readonly icon: typeof IconCircleCheck }
  >
> = {
  working: { tone: 'good', word: 'Working', icon: IconCircleCheck },
  standby: { tone: 'quiet', word: 'Stands by', icon: IconPlayerPause },
  lost: { tone: 'bad', word: 'Lost', icon: IconHeartOff },
};

type Work = Pick<WorkerResource, 'role' | 'state' | 'leases' | 'leasesMax' | 'lanes'>;

/** What it has in hand, as far as it has told. */
export function workOf({ role, state, leases, leasesMax, lanes }: Work): string {
  if (state === 'lost')
    return leases === 0 ? 'nothing' : `held ${leases} ${leases === 1 ? 'lease' : 'leases'}`;
  if (role === 'replay') return `${leases} of ${leasesMax ?? 'unknown'} leases`;
  if (role === 'feed') return state === 'standby' ? 'nothing' : 'the live feed';
  if (lanes === undefined) return 'unknown';
  // Whether an applier that has them gets on with them is for an alert to say.
  return lanes.length === 0 ? 'nothing' : `has ${lanes.join(' and ')}`;
}
