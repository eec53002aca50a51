/**
 * The focus always has a place. What has it may go away: a verb that is not allowed any more, a row, a message, a whole screen. Browsers then leave
 * the focus on the document, from where the next Tab starts at the top and a screen reader falls silent. Here it goes back to what had it on the
 * screen before, where an overlay is gone, and else to the nearest part of the page that is still there.
 */
const parts =
  '[role="dialog"], [role="group"][aria-label], tr[data-backfill-id], tr[data-row], section[aria-label], main';

/** Keeps it until the answer is called. `root`: what is outside of it lies over the screen, and goes away as a whole. */
export function keepFocus(root: Element): () => void {
  /** What had the focus last, and what it stood in, from the inside out: as it was when the focus came, since what is gone stands in nothing. */
  let last: readonly Element[] = [];
  let onScreen: readonly Element[] = [];

  const remember = ({ target }: FocusEvent) => {
    if (!(target instanceof Element)) return;
    last = outwards(target);
    if (root.contains(target)) onScreen = last;
  };
  // Whoever clicks on nothing takes the focus away by themselves.
  const forget = () => {
    last = [];
  };
  const look = () => {
    const [had] = last;
    const { activeElement } = document;
    // Asked at every change of the page: what costs nothing to know first.
    if (had === undefined || (activeElement === had && !had.matches(':disabled'))) return;
    if (activeElement !== null && activeElement !== document.body && activeElement !== had) return;
    if (!isGone(had)) return;
    const place = [...last, ...onScreen].find(
      (each) => (each === onScreen[0] || each.matches(parts)) && !isGone(each) && each.clientHeight > 0,
    );
    if (!(place instanceof HTMLElement)) return;
    if (place.matches(parts) && !place.hasAttribute('tabindex')) place.tabIndex = -1;
    place.focus({ preventScroll: true });
  };

  const observer = new MutationObserver(look);
  // Of attributes the one that takes a control out of reach: everything else that changes once a second is text.
  observer.observe(document.body, { subtree: true, childList: true, attributeFilter: ['disabled'] });
  document.addEventListener('focusin', remember);
  document.addEventListener('pointerdown', forget);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', remember);
    document.removeEventListener('pointerdown', forget);
  };
}

function outwards(element: Element): Element[] {
  const found: Element[] = [];
  for (let each: Element | null = element; each !== null; each = each.parentElement) found.push(each);
  return found;
}

function isGone(element: Element): boolean {
  return !element.isConnected || element.matches(':disabled') || !element.checkVisibility();
}
