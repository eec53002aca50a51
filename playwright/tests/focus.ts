import type { Page } from '@playwright/test';

/** More would be a trap, not a screen. */
const MOST_STOPS = 250;
/** Presses between two questions whether it is over; what is walked twice is looked at once. */
const AT_A_TIME = 8;

/**
 * Walks through what the keyboard reaches, by Tab from the top of the page, until the focus has been everywhere once.
 * `unseen`: what looked no different while it had the focus (its outline and its shadow, or those of what is drawn in its place: a checkbox is).
 * `unreached`: what can have the focus, and did not. Both in a few words each.
 */
export async function walkFocus(
  page: Page,
): Promise<{ stops: number; unseen: string[]; unreached: string[] }> {
  await page.evaluate(installLooks);
  await page.evaluate(installWalk);
  for (let presses = 0; presses < MOST_STOPS; presses += AT_A_TIME) {
    for (let n = 0; n < AT_A_TIME; n += 1) await page.keyboard.press('Tab');
    if (await page.evaluate(() => window.focusWalk.isOver())) break;
  }
  return page.evaluate(() => window.focusWalk.end());
}

/**
 * Where the focus is, in a few words, and what is wrong with it; null: a person can see it there, by an outline that is not out of sight.
 * `nowhere` is the document itself, from where the next Tab would start at the top.
 */
export async function focusPlace(page: Page): Promise<{ place: string; wrong: 'nowhere' | 'unseen' | null }> {
  await page.evaluate(installLooks);
  return page.evaluate(() => {
    const element = document.activeElement;
    if (element === null || element === document.body) return { place: '<body>', wrong: 'nowhere' as const };
    const { words, isMarked } = window.focusLooks;
    return { place: words(element), wrong: isMarked(element) ? null : ('unseen' as const) };
  });
}

declare global {
  interface Window {
    focusLooks: {
      /** What it is. */
      words(element: Element): string;
      /** Its outlines and shadows, as text. */
      look(element: Element): string;
      /** It has an outline, on the screen. */
      isMarked(element: Element): boolean;
    };
    focusWalk: {
      /** It is back where it has been, or has left the page. */
      isOver(): boolean;
      end(): { stops: number; unseen: string[]; unreached: string[] };
    };
  }
}

/** Runs in the page. */
function installLooks(): void {
  const words = (element: Element) =>
    `<${element.tagName.toLowerCase()}> ${element.getAttribute('aria-label') ?? element.textContent?.trim().slice(0, 40) ?? ''} ${element.id}`.trim();
  /** Itself, and where the control proper is hidden, what is drawn for it. */
  const drawn = (element: Element) =>
    [
      element,
      ...(element instanceof HTMLInputElement
        ? [...(element.parentElement?.children ?? []), ...(element.labels ?? [])]
        : []),
    ].filter((each) => {
      const { width, height } = each.getBoundingClientRect();
      return width > 2 && height > 2 && each.checkVisibility({ opacityProperty: true });
    });
  const look = (element: Element) =>
    drawn(element)
      .map((each) => {
        const { outlineStyle, outlineWidth, outlineColor, boxShadow } = getComputedStyle(each);
        return `${outlineStyle === 'none' || outlineWidth === '0px' ? 'none' : `${outlineWidth} ${outlineColor}`} ${boxShadow}`;
      })
      .join(' | ');
  const isMarked = (element: Element) =>
    drawn(element).some((each) => {
      const { outlineStyle, outlineWidth } = getComputedStyle(each);
      const { top, bottom, left, right } = each.getBoundingClientRect();
      const inSight = bottom > 0 && right > 0 && top < window.innerHeight && left < window.innerWidth;
      return inSight && outlineStyle !== 'none' && outlineWidth !== '0px';
    });
  window.focusLooks = { words, look, isMarked };
}

/** Runs in the page. */
function installWalk(): void {
  const selector =
    'a[href], button, input, select, textarea, summary, [tabindex]:not([tabindex="-1"]), [contenteditable="true"]';
  const visited = new Set<Element>();
  const unseen: string[] = [];
  const tabbable = () =>
    [...document.querySelectorAll<HTMLElement>(selector)].filter((element) => {
      if (element.tabIndex < 0 || element.matches(':disabled, [inert] *')) return false;
      if (!element.checkVisibility({ visibilityProperty: true })) return false;
      // Of a group of radio buttons the one that is chosen stands for all: arrow keys reach the others.
      return !(element instanceof HTMLInputElement && element.type === 'radio' && !element.checked);
    });
  // What live brings on the way may come behind the focus.
  const before = tabbable();
  let over = false;
  let previous: { readonly element: Element; readonly focused: string } | null = null;

  const { words, look } = window.focusLooks;
  const left = () => {
    if (previous?.element.isConnected && look(previous.element) === previous.focused)
      unseen.push(words(previous.element));
    previous = null;
  };

  /** Looks at what has got the focus, and again at what had it before. */
  const arrive = ({ target }: FocusEvent) => {
    if (over || !(target instanceof Element)) return;
    left();
    if (visited.has(target)) {
      over = true;
      return;
    }
    visited.add(target);
    previous = { element: target, focused: look(target) };
  };
  document.addEventListener('focusin', arrive);

  window.focusWalk = {
    isOver: () => over || document.activeElement === null || document.activeElement === document.body,
    end() {
      document.removeEventListener('focusin', arrive);
      (document.activeElement as HTMLElement | null)?.blur();
      left();
      const still = new Set(tabbable());
      return {
        stops: visited.size,
        unseen,
        unreached: before.filter((element) => still.has(element) && !visited.has(element)).map(words),
      };
    },
  };
}
