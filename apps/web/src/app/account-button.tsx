import { ActionIcon, type ActionIconProps } from '@mantine/core';
import { IconUser } from '@tabler/icons-react';
import type { ComponentProps } from 'react';

/** Of the account menu; looks the same before the menu has come. */
export function AccountButton(props: ActionIconProps & ComponentProps<'button'>) {
  return (
    <ActionIcon
      variant="default"
      size={36}
      aria-label="Account and appearance"
      aria-haspopup="menu"
      {...props}
    >
      <IconUser aria-hidden size={18} />
    </ActionIcon>
  );
}
