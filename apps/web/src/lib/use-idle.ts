import { useEffect, useState } from 'react';

/** True from the first idle moment of the page on, or after three busy seconds: for what is not needed to see the screen. */
export function useIdle(): boolean {
  const [idle, setIdle] = useState(false);
  useEffect(() => {
    const asked = requestIdleCallback(() => setIdle(true), { timeout: 3_000 });
    return () => cancelIdleCallback(asked);
  }, []);
  return idle;
}
