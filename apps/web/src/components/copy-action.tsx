import { Button, type ButtonProps, CopyButton } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';

interface CopyActionProps extends Pick<ButtonProps, 'variant' | 'disabled'> {
  readonly value: string;
  /** What it says until it is pressed. */
  readonly label: string;
  readonly icon?: typeof IconCopy;
  /** For how long it says that it has copied, ms. */
  readonly saidForMs?: number;
  /** It has the focus when its dialog opens. */
  readonly 'data-autofocus'?: true;
}

/** Copies a text, and says that it has. */
export function CopyAction({
  value,
  label,
  icon: Icon = IconCopy,
  saidForMs = 1_000,
  ...button
}: CopyActionProps) {
  return (
    <CopyButton value={value} timeout={saidForMs}>
      {({ copied, copy }) => (
        <Button
          {...button}
          leftSection={copied ? <IconCheck aria-hidden size={16} /> : <Icon aria-hidden size={16} />}
          onClick={copy}
        >
          {copied ? 'Copied' : label}
        </Button>
      )}
    </CopyButton>
  );
}
