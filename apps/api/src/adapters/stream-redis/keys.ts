/**
 * The keys of one stream. The braces put them into one slot of a cluster, as scripts and XADD with its place in the file must
 * change them together.
 */
export interface StreamKeys {
  /** The stream itself: its entries are packs of ours (packs.ts). */
  readonly entries: string;
  /** Hash: `next` ordinal, `ms` of the last append, `bytes` ever appended, `producer` state. */
  readonly meta: string;
  /** What the last append of one producer came to, for as long as it may ask again. */
  readonly lastAppend: (producer: string) => string;
}

/** What the keys of an installation begin with. */
export const PREFIX = 'spillway';

/** What all streams of an installation are told by. Not one of a stream's keys, whatever its name is. */
export const IDENTITY_KEY = `${PREFIX}:{streams}:id`;

/** Whether an installation may keep a stream of its own there. */
export function isOwnKey(key: string): boolean {
  return key.startsWith(`${PREFIX}:{`);
}

export function keysOf(prefix: string, name: string): StreamKeys {
  const stem = `${prefix}:{${name}}`;
  return {
    entries: `${stem}:entries`,
    meta: `${stem}:meta`,
    lastAppend: (producer) => `${stem}:append:${producer}`,
  };
}
