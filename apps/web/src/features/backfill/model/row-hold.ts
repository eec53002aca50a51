interface Row {
  readonly id: string;
}

/**
 * The rows of a table that somebody is in: those that stood there when they came, in that order, with what they say now. What has
 * come into the list meanwhile, or moved in it, waits until they have left.
 *
 * `list`: what the server says the list is; `gone`: what is known of rows that are in it no longer.
 */
export function heldRows<R extends Row>(held: readonly R[], list: readonly R[], gone: readonly R[]): R[] {
  const now = new Map([...gone, ...list].map((row) => [row.id, row]));
  return held.map((row) => now.get(row.id) ?? row);
}

/** Of the rows that are held, those that the list has no longer. */
export function goneIds(held: readonly Row[], list: readonly Row[]): string[] {
  const listed = new Set(list.map(({ id }) => id));
  return held.map(({ id }) => id).filter((id) => !listed.has(id));
}
