import type { ReadinessAnswer } from '@spillway/shared/api/readiness';
import { IconCircleCheck, IconCircleX, IconHelpCircle, type TablerIcon } from '@tabler/icons-react';
import { Badge } from '../../../components/badge.tsx';
import { answerTones, answerWords } from '../model/readiness-words.ts';

const icons: Readonly<Record<ReadinessAnswer, TablerIcon>> = {
  yes: IconCircleCheck,
  no: IconCircleX,
  unknown: IconHelpCircle,
};

export function AnswerBadge({ answer }: { readonly answer: ReadinessAnswer }) {
  return (
    <Badge tone={answerTones[answer]} icon={icons[answer]} state={answer}>
      {answerWords[answer]}
    </Badge>
  );
}
