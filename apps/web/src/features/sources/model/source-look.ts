import type { Source } from '@spillway/shared/api/pipeline';
import { IconCircleCheck, IconPlugConnectedX, IconPlugOff } from '@tabler/icons-react';
import type { Tone } from '../../../components/badge.tsx';

/** A state is always colour, icon and word. */
interface SourceLook {
  readonly tone: Tone;
  readonly word: string;
  readonly icon: typeof IconCircleCheck;
}

const connected: SourceLook = { tone: 'good', word: 'Connected', icon: IconCircleCheck };
const disconnected: SourceLook = { tone: 'warn', word: 'Disconnected', icon: IconPlugConnectedX };
/** Of its history alone is known: there is no feed to be connected or not. */
const noFeed: SourceLook = { tone: 'quiet', word: 'None', icon: IconPlugOff };

/** Of the feed alone: a state that is `failed` is of the history. */
export function feedLook({
  disconnectedAt,
  historyOnly,
}: Pick<Source, 'disconnectedAt' | 'historyOnly'>): SourceLook {
  if (historyOnly === true) return noFeed;
  return disconnectedAt === null ? connected : disconnected;
}
