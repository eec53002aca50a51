import type { Source } from '@spillway/shared/api/pipeline';
import { IconAlertTriangle, IconCircleCheck, IconPlugConnectedX } from '@tabler/icons-react';
import type { Tone } from '../../../components/badge.tsx';

/** A state is always colour, icon and word. */
export const sourceLooks: Readonly<
  Record<
    Source['state'],
    { readonly tone: Tone; readonly word: string; readonly icon: typeof IconCircleCheck }
  >
> = {
  connected: { tone: 'good', word: 'Connected', icon: IconCircleCheck },
  disconnected: { tone: 'warn', word: 'Disconnected', icon: IconPlugConnectedX },
  failed: { tone: 'bad', word: 'Failed', icon: IconAlertTriangle },
};
