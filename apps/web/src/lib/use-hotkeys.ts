import { useEffect, useEffectEvent } from 'react';
import { hotkeys } from './hotkeys.ts';

/** Binds keys while the component is on the screen. `names` must not change between renders. */
export function useHotkeys(
  names: readonly string[],
  run: (name: string, event: KeyboardEvent) => void,
): void {
  const onKey = useEffectEvent(run);
  // No key is a line break; a comma is one.
  const joined = names.join('\n');
  useEffect(() => {
    const bindings = Object.fromEntries(
      joined.split('\n').map((name) => [name, (event: KeyboardEvent) => onKey(name, event)]),
    );
    const listener = hotkeys(bindings, () => performance.now());
    document.addEventListener('keydown', listener);
    return () => document.removeEventListener('keydown', listener);
  }, [joined]);
}
