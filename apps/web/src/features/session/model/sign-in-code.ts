/** The code of `#code=…`, or null. A fragment never reaches a server, a log or a referrer. */
export function codeFromFragment(fragment: string): string | null {
  const code = new URLSearchParams(fragment.replace(/^#/, '')).get('code');
  return code === null || code === '' ? null : code;
}

/** What a person may paste: the code alone, or the whole line that Spillway printed. */
export function codeFromInput(text: string): string {
  const trimmed = text.trim();
  const hash = trimmed.indexOf('#code=');
  return hash === -1 ? trimmed : (codeFromFragment(trimmed.slice(hash)) ?? trimmed);
}
