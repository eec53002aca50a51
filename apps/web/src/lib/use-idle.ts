import { useEffect, useState } from 'react';
import { usePainted } from './use-painted.ts';

/** True from the first idle moment after the first picture on, or after three busy seconds: for what is not needed to see the screen. */
export function useIdle(): boolean {
  const painted = usePainted();
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    if (!painted) return;
    const asked = requestIdleCallback(() => setIdle(true), { timeout: 3_000 });
    return () => cancelIdleCallback(asked);
  }, [painted]);
  return idle;
}
