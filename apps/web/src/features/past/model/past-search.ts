/** `?at=` of the address: the moment that is looked at. Without it a screen shows the present. */
export interface PastSearch {
  readonly at?: string | undefined;
}

/** Whatever was typed is kept, so that the screen can say that it is no time; it never becomes the present unnoticed. */
export function parsePastSearch({ at }: Record<string, unknown>): PastSearch {
  return at === undefined || at === null || at === '' ? {} : { at: String(at) };
}

/** Epoch ms of a time of the API's form, in whole seconds; null for anything else, also for a day that its month does not have. */
export function momentMs(at: string): number | null {
  if (!/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,3})?Z$/.test(at)) return null;
  const ms = Date.parse(at);
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(at.slice(0, 19))) return null;
  return Math.floor(ms / 1_000) * 1_000;
}
