import { Tooltip } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';

const restsMs = 250;

/** See `Hint`. */
export function Bubble({
  target,
  label,
  shown,
}: {
  readonly target: HTMLElement;
  readonly label: ReactNode;
  readonly shown: boolean;
}) {
  const [opened, setOpened] = useState(false);
  useEffect(() => {
    if (!shown) return setOpened(false);
    const rested = setTimeout(() => setOpened(true), restsMs);
    const hide = () => {
      clearTimeout(rested);
      setOpened(false);
    };
    const onKey = ({ key }: KeyboardEvent) => key === 'Escape' && hide();
    target.addEventListener('click', hide);
    document.addEventListener('keydown', onKey);
    return () => {
      clearTimeout(rested);
      target.removeEventListener('click', hide);
      document.removeEventListener('keydown', onKey);
    };
  }, [shown, target]);
  return <Tooltip target={target} label={label} opened={opened} />;
}
