/**
 * One text per JSON value: keys sorted by code unit, no white space, what JSON cannot say left out as `JSON.stringify` does.
 * Digests (audit chain, idempotency keys) are taken over this text, so that a database that reorders keys changes none of them.
 */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(sortKeys(JSON.parse(JSON.stringify(value) ?? 'null')));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sortKeys(inner)]),
  );
}
