import type { Source } from '@spillway/shared/api/pipeline';
import { IconAlertTriangle, IconCircleCheck, IconPlugConnectedX, IconPlugOff } from '@tabler/icons-react';
import type { Tone } from '../../../components/badge.tsx';

/** A state is always colour, icon and word. */
interface SourceLook {
  readonly tone: Tone;
  readonly word: string;
  readonly icon: typeof IconCircleCheck;
}

const looks: Readonly<Record<Source['state'], SourceLook>> = {
  connected: { tone: 'good', word: 'Connected', icon: IconCircleCheck },
  disconnected: { tone: 'warn', word: 'Disconnected', icon: IconPlugConnectedX },
  failed: { tone: 'bad', word: 'Failed', icon: IconAlertTriangle },
};

/** Of its history alone is known: there is no feed to be connected or not, though the history may have failed. */
const noFeed: SourceLook = { tone: 'quiet', word: 'None', icon: IconPlugOff };

export function feedLook({ state, historyOnly }: Pick<Source, 'state' | 'historyOnly'>): SourceLook {
  return historyOnly === true && state !== 'failed' ? noFeed : looks[state];
}
