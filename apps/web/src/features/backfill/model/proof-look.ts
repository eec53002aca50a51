import type { Verification } from '@spillway/shared/api/backfill';
import {
  IconCircleCheck,
  IconClockHour4,
  IconHelpCircle,
  IconShieldSearch,
  IconUrgent,
} from '@tabler/icons-react';

interface ProofLook {
  readonly words: string;
  readonly tone: string;
  readonly icon: typeof IconUrgent;
}

/** A state is always colour, icon and word. */
export const proofLooks: Readonly<Record<Verification['state'], ProofLook>> = {
  pending: { words: 'Not proven yet', tone: 'quiet', icon: IconClockHour4 },
  running: { words: 'Proving: the source is read a second time', tone: 'quiet', icon: IconShieldSearch },
  matched: { words: 'Matched: the store holds what the source holds', tone: 'good', icon: IconCircleCheck },
  mismatched: { words: 'Mismatched: the store differs from the source', tone: 'bad', icon: IconUrgent },
  unavailable: { words: 'Proof unavailable', tone: 'warn', icon: IconHelpCircle },
};
