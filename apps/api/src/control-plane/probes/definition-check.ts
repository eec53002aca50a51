/** What a schema cannot say about a probe. Pure: nothing is looked up here, and nothing said here quotes the url. */
import type { CreateProbe } from '@spillway/shared/api/governor';
import type { Problem } from '@spillway/shared/api/problem';
import { parseGivenUrl } from '../../given-url.ts';
import { parsePostgresTarget } from '../../postgres-target.ts';
import { bareHost } from '../outbound/address.ts';
import { probeGuard } from './guard.ts';
import { isJsonPointer } from './json-pointer.ts';

/** Empty: it can be used. Pointers point into the body. */
export function complaintsAbout(body: CreateProbe): Problem['errors'] {
  return [
    ...urlComplaints(body),
    ...questionComplaints(body),
    ...(body.timeoutMs > body.intervalMs
      ? [{ pointer: '/timeoutMs', detail: 'must not be longer than the interval' }]
      : []),
  ];
}

function urlComplaints({ kind, url }: CreateProbe): Problem['errors'] {
  const detail = kind === 'sql' ? sqlUrlComplaint(url) : httpUrlComplaint(url);
  return detail === null ? [] : [{ pointer: '/url', detail }];
}

function sqlUrlComplaint(text: string): string | null {
  const target = parsePostgresTarget(text);
  if (typeof target === 'string') return target;
  return probeGuard.refuse(target.host);
}

function httpUrlComplaint(text: string): string | null {
  const url = parseGivenUrl(text);
  if (typeof url === 'string') return url;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return 'must begin with http:// or https://';
  const refused = probeGuard.refuse(bareHost(url.hostname));
  if (refused !== null) return refused;
  try {
    decodeURIComponent(url.username);
    decodeURIComponent(url.password);
  } catch {
    return 'has an escape that cannot be read';
  }
  return null;
}

/** sql and promql ask a query, http_json points at a number; what a kind does not use is refused rather than ignored. */
function questionComplaints({ kind, query, pointer }: CreateProbe): Problem['errors'] {
  const queried = kind !== 'http_json';
  const complaints: Problem['errors'] = [];
  if (queried && (query ?? '').trim() === '')
    complaints.push({ pointer: '/query', detail: `is required for a probe of kind ${kind}` });
  if (!queried && query != null)
    complaints.push({ pointer: '/query', detail: `is not for a probe of kind ${kind}` });
  if (!queried && pointer == null)
    complaints.push({ pointer: '/pointer', detail: `is required for a probe of kind ${kind}` });
  if (!queried && pointer != null && !isJsonPointer(pointer))
    complaints.push({ pointer: '/pointer', detail: 'is no JSON pointer (RFC 6901), such as /queue/length' });
  if (queried && pointer != null)
    complaints.push({ pointer: '/pointer', detail: `is not for a probe of kind ${kind}` });
  return complaints;
}
