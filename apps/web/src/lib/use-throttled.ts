import { useEffect, useEffectEvent, useRef } from 'react';

/** Calls at once, and then at most every `everyMs`, with what was asked last: nothing asked is lost, only overtaken. */
export function useThrottled<T>(run: (value: T) => void, everyMs: number): (value: T) => void {
  const latest = useEffectEvent(run);
  const state = useRef<{
    timer: ReturnType<typeof setTimeout> | null;
    waiting: { value: T } | null;
    call: (value: T) => void;
  }>({
    timer: null,
    waiting: null,
    call: () => {},
  });
  useEffect(() => {
    const { current } = state;
    const tick = () => {
      current.timer = null;
      if (current.waiting === null) return;
      const { value } = current.waiting;
      current.waiting = null;
      current.timer = setTimeout(tick, everyMs);
      latest(value);
    };
    current.call = (value) => {
      current.waiting = { value };
      if (current.timer === null) tick();
    };
    return () => {
      if (current.timer !== null) clearTimeout(current.timer);
      current.timer = null;
      current.waiting = null;
    };
  }, [everyMs]);
  return (value) => state.current.call(value);
}
