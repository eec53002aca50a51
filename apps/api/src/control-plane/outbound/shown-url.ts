const removed = '[redacted]';

/**
 * Where a url points, without anything that could let someone in: no user, no password, no fragment, and of the query only the short names of
 * what has a value, since a token may hide under any of them, or be one.
 */
export function shownUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return removed;
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}${shownQuery(parsed)}`;
}

/** From this length on a part of a path may be a token: services that take webhooks put theirs there. */
const TOKEN_LENGTH_MIN = 16;

/** As {@link shownUrl}, and without the long parts of its path. */
export function shownWebhookUrl(url: string): string {
  const parsed = URL.parse(url);
  if (parsed === null) return removed;
  const path = parsed.pathname
    .split('/')
    .map((part) => (part.length < TOKEN_LENGTH_MIN ? part : removed))
    .join('/');
  return `${parsed.protocol}//${parsed.host}${path}${shownQuery(parsed)}`;
}

function shownQuery({ searchParams }: URL): string {
  const shown = [...searchParams].map(([name, value]) =>
    value === '' || name.length >= TOKEN_LENGTH_MIN ? removed : `${encodeURIComponent(name)}=${removed}`,
  );
  const query = [...new Set(shown)].join('&');
  return query === '' ? '' : `?${query}`;
}
