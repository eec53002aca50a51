import { useEffect } from 'react';

/** Counted from when it is there: until then an answer may be as late as it likes. */
const SETTLES_MS = 8_000;

/**
 * Brings what the address points at (`#replay-share`) into view as soon as the screen has it, and puts the focus on it, marked, so that
 * who was led here sees where. A screen that is still filling up may put it in place more than once, or push it out of sight: for some
 * seconds it is brought back, unless the person does something. `screen`: its path; the same anchor on another screen is another place.
 */
export function usePointed(anchor: string, screen: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: see `screen`.
  useEffect(() => {
    if (anchor === '') return;
    let pointed: HTMLElement | null = null;
    let settled: ReturnType<typeof setTimeout> | undefined;
    const look = () => {
      const element = document.querySelector<HTMLElement>(`#content #${CSS.escape(anchor)}`);
      if (element === null) return;
      settled ??= setTimeout(leave, SETTLES_MS);
      if (element !== pointed) point(element);
      else if (isOutOfSight(element)) bring(element);
      pointed = element;
    };
    const observer = new MutationObserver(look);
    observer.observe(document.body, { childList: true, subtree: true });
    const leave = () => observer.disconnect();
    const doings = ['pointerdown', 'keydown', 'wheel', 'touchmove'] as const;
    for (const doing of doings) window.addEventListener(doing, leave, { once: true, passive: true });
    look();
    return () => {
      leave();
      clearTimeout(settled);
      for (const doing of doings) window.removeEventListener(doing, leave);
    };
  }, [anchor, screen]);
}

function point(element: HTMLElement): void {
  if (!element.matches('input, textarea, button, a[href]')) element.tabIndex = -1;
  element.dataset['pointed'] = '';
  element.focus({ preventScroll: true });
  bring(element);
}

function bring(element: HTMLElement): void {
  element.scrollIntoView({ block: element.offsetHeight < window.innerHeight / 2 ? 'center' : 'start' });
}

function isOutOfSight(element: HTMLElement): boolean {
  const { top, bottom } = element.getBoundingClientRect();
  return bottom < 0 || top > window.innerHeight;
}
