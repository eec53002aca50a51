import { startTransition, useEffect, useState } from 'react';
import { painted } from './painted.ts';

let known = false;

/** False while the page makes its first picture: see `painted`. */
export function usePainted(): boolean {
  const [is, setIs] = useState(known);
  useEffect(() => {
    if (known) return;
    let gone = false;
    void painted.then(() => {
      known = true;
      if (!gone) startTransition(() => setIs(true));
    });
    return () => {
      gone = true;
    };
  }, []);
  return is;
}
