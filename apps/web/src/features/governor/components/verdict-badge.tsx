import type { Signal, SignalVerdict } from '@spillway/shared/api/governor';
import {
  IconActivity,
  IconAlertTriangle,
  IconCircleCheck,
  IconEye,
  IconHelpCircle,
  type TablerIcon,
} from '@tabler/icons-react';
import { Badge } from '../../../components/badge.tsx';
import { verdictTone, verdictWords } from '../model/signal-words.ts';

const icons: Readonly<Record<SignalVerdict, TablerIcon>> = {
  ok: IconCircleCheck,
  near: IconActivity,
  breached: IconAlertTriangle,
  unknown: IconHelpCircle,
  ungoverned: IconEye,
};

export function VerdictBadge({ signal }: { readonly signal: Signal }) {
  return (
    <Badge tone={verdictTone(signal)} icon={icons[signal.verdict]} state={signal.verdict}>
      {verdictWords[signal.verdict]}
    </Badge>
  );
}
