import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { patiently } from '../lib/patiently.ts';
import { AccountButton } from './account-button.tsx';
import type { AccountMenu } from './account-menu.tsx';

/**
 * The account's button from the first picture on, and its menu as soon as there is time for it, or it is asked for. One takes the place of the
 * other at once, and the focus with it.
 */
export function Account({ idle, onHelp }: { readonly idle: boolean; readonly onHelp: () => void }) {
  const [asked, setAsked] = useState(false);
  const [part, setPart] = useState<{ readonly Menu: typeof AccountMenu } | null>(null);
  const hadFocus = useRef(false);
  const wanted = idle || asked;
  useEffect(() => {
    if (wanted)
      void patiently(() => import('./account-menu.tsx')).then((module) =>
        setPart({ Menu: module.AccountMenu }),
      );
  }, [wanted]);
  return part === null ? (
    <Place
      onAsk={() => setAsked(true)}
      onGone={(focused) => {
        hadFocus.current = focused;
      }}
    />
  ) : (
    <part.Menu opened={asked} hadFocus={hadFocus} onHelp={onHelp} />
  );
}

function Place({
  onAsk,
  onGone,
}: {
  readonly onAsk: () => void;
  readonly onGone: (focused: boolean) => void;
}) {
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    const element = button.current;
    return () => onGone(element !== null && element === document.activeElement);
  });
  // The press counts as well: where the menu takes its place before the release there is no click.
  return <AccountButton ref={button} aria-expanded={false} onMouseDown={onAsk} onClick={onAsk} />;
}
