import { codeFromFragment } from './sign-in-code.ts';

/** A one-time code waiting to be exchanged; it leaves the address bar (and the history) before anything is drawn. */
let waiting: string | null = null;

export function takeCodeFromAddress(): void {
  const code = codeFromFragment(window.location.hash);
  if (code === null) return;
  waiting = code;
  window.history.replaceState(window.history.state, '', window.location.pathname + window.location.search);
}

export function hasWaitingCode(): boolean {
  return waiting !== null;
}

/** Gives the code out once. */
export function takeWaitingCode(): string | null {
  const code = waiting;
  waiting = null;
  return code;
}
