import { useEffect, useReducer, useState } from 'react';
import { type Place, placeAfter, settlesInMs } from './swap.ts';

const sinceOpened = () => performance.now();

/** True for a moment after something else has come to stand in a place: the button that came is not to be pressed yet. */
export function useSettling(shown: string, now: () => number = sinceOpened): boolean {
  const [before, setPlace] = useState<Place>({ shown, sinceMs: null });
  const [, look] = useReducer((looks: number) => looks + 1, 0);
  const nowMs = now();
  const place = placeAfter(before, shown, nowMs);
  if (place !== before) setPlace(place);
  const leftMs = settlesInMs(place, nowMs);
  useEffect(() => {
    if (leftMs === 0) return;
    const timer = setTimeout(look, Math.ceil(leftMs));
    return () => clearTimeout(timer);
  }, [leftMs]);
  return leftMs > 0;
}
