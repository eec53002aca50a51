/** True where a key belongs to what has the focus: inputs that take text, menus, dialogs. */
function typing(target: EventTarget | null): boolean {
  if (typeof HTMLElement === 'undefined' || !(target instanceof HTMLElement)) return false;
  return (
    target.isContentEditable ||
    target.closest(
      'input:not([type="radio"], [type="checkbox"]), textarea, select, [role="slider"], [role="menu"], [role="dialog"], [role="listbox"], [role="combobox"]',
    ) !== null
  );
}

/** Keys that begin a sequence, wherever it is bound: what follows one is never a key of its own, so "g p" can never pause. */
const leaders: ReadonlySet<string> = new Set(['g']);

/**
 * Single keys, two-key sequences ("g n") and "mod+k": with Ctrl, or ⌘ on a Mac. A sequence's second key has to follow within a second. Other
 * keys with a modifier are the browser's and the system's.
 */
export function hotkeys(
  bindings: Readonly<Record<string, (event: KeyboardEvent) => void>>,
  now: () => number,
): (event: KeyboardEvent) => void {
  let prefix: { key: string; atMs: number } | null = null;
  return (event) => {
    if (event.altKey || event.defaultPrevented || typing(event.target)) return;
    const modified = event.ctrlKey || event.metaKey;
    const sequence =
      !modified && prefix !== null && now() - prefix.atMs < 1_000 ? `${prefix.key} ${event.key}` : null;
    prefix = null;
    if (!modified && sequence === null && leaders.has(event.key)) {
      prefix = { key: event.key, atMs: now() };
      return;
    }
    const run = bindings[modified ? `mod+${event.key.toLowerCase()}` : (sequence ?? event.key)];
    if (run === undefined) return;
    event.preventDefault();
    run(event);
  };
}
