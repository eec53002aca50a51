/**
 * A URL as somebody wrote it. A password with a / ? # in it that is not percent-encoded ends the host early: its head would be taken for
 * a host, and its tail be printed with the path. What gives that away is an @ behind the host, or no URL at all.
 */

const ENCODE = 'in a user or password, characters like / ? # @ are written %2F %3F %23 %40';

/** Completes "the URL …", and repeats nothing of it. */
export const notUrl = `is not a URL; ${ENCODE}`;
const ambiguous = `has an @ behind its host: ${ENCODE}, and elsewhere an @ is written %40 too`;

/** A string says why it cannot be used: {@link notUrl}, or that it may be read in two ways. */
export function parseGivenUrl(text: string): URL | string {
  const url = URL.parse(text);
  return url === null ? notUrl : (complaintAboutTail(url.pathname + url.search + url.hash) ?? url);
}

/** Of what stands behind the host; null: it can be read in one way only. */
export function complaintAboutTail(tail: string): string | null {
  return tail.includes('@') ? ambiguous : null;
}
