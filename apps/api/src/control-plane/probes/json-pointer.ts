/** RFC 6901. */
export function isJsonPointer(text: string): boolean {
  return text === '' || (text.startsWith('/') && !/~(?![01])/.test(text));
}

/** What the pointer points at; undefined when there is nothing. Sees a value's own members only. */
export function pointedAt(document: unknown, pointer: string): unknown {
  const tokens = pointer.split('/').slice(1);
  let value = document;
  for (const escaped of tokens) {
    const token = escaped.replaceAll('~1', '/').replaceAll('~0', '~');
    if (value === null || typeof value !== 'object') return undefined;
    // An array's members are numbered, without leading zeros; `-` names the one that does not exist.
    if (Array.isArray(value) && !/^(0|[1-9]\d*)$/.test(token)) return undefined;
    if (!Object.hasOwn(value, token)) return undefined;
    value = (value as Record<string, unknown>)[token];
  }
  return value;
}
