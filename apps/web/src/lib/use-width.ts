import { type RefObject, useLayoutEffect, useRef, useState } from 'react';

/** Width of an element in whole CSS pixels; 0 before the first layout. Charts are given fixed sizes from it. */
export function useWidth<T extends Element>(): [RefObject<T | null>, number] {
  const ref = useRef<T>(null);
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const element = ref.current;
    if (element === null) return;
    // It is told once at the beginning too, when the layout is there: asked before, all of the page would be laid out for this alone.
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.getBoundingClientRect().width)));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [ref, width];
}
