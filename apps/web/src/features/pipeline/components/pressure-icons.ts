import { IconAlertTriangle, IconCircleCheck, IconFlame, IconHelpCircle } from '@tabler/icons-react';

export const pressureIcons = {
  ok: IconCircleCheck,
  low: IconAlertTriangle,
  high: IconFlame,
  unknown: IconHelpCircle,
};
