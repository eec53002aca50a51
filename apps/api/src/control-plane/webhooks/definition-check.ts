/** What a schema cannot say about a webhook. Pure: nothing is looked up here, and nothing said here quotes the url. */
import { isIP } from 'node:net';
import type { Problem } from '@spillway/shared/api/problem';
import { bareHost } from '../outbound/address.ts';
import { guardOf, isNamed } from './guard.ts';

/** Empty: it can be used. Pointers point into the body. `named`: hosts of this network that may be reached. */
export function complaintsAbout(
  { url }: { readonly url?: string },
  named: readonly string[],
): Problem['errors'] {
  const detail = url === undefined ? null : urlComplaint(url, named);
  return detail === null ? [] : [{ pointer: '/url', detail }];
}

function urlComplaint(text: string, named: readonly string[]): string | null {
  const url = URL.parse(text);
  if (url === null) return 'is not a URL';
  if (url.protocol !== 'https:' && url.protocol !== 'http:') return 'must begin with https://';
  if (url.username !== '' || url.password !== '')
    return 'takes no user and password: the signature says who sent a message';
  const host = bareHost(url.hostname);
  // A name is looked up at each attempt; an address is what it is.
  const refused = isIP(host) === 0 ? null : guardOf(url, named).refuse(host);
  if (refused !== null) return refused;
  if (url.protocol === 'http:' && !isNamed(url, named))
    return 'must begin with https:// (http:// only to a host that SPILLWAY_WEBHOOK_HOSTS names)';
  return null;
}
