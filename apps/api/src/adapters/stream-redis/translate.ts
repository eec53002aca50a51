/**
 * What a server or its connection says, in the port's words, once. None of the client's own errors leaves this adapter, not even as a
 * `cause`: they carry the command with its arguments, and the arguments of AUTH are the password.
 */
import { StreamError } from '../../data-plane/ports.ts';
import type { RedisAddress } from './address.ts';

interface Meaning {
  readonly says: RegExp;
  readonly code: StreamError['code'];
  readonly detail: string;
  /** Where the URL asks for TLS. */
  readonly detailOverTls?: string;
}

/** The first that fits. Redis' own words follow the detail. */
const MEANINGS: readonly Meaning[] = [
  {
    says: /^OOM\b/,
    code: 'stream_full',
    detail: 'has no memory left (maxmemory); what is finished and trimmed makes room',
  },
  { says: /^(WRONGPASS|NOAUTH)\b|invalid password/i, code: 'stream_denied', detail: 'refuses the password' },
  {
    // What a script may not do is said in other words.
    says: /^NOPERM\b|^ERR (The user executing the script can't|ACL failure in script)/,
    code: 'stream_denied',
    detail: 'does not let this user do what a stream needs',
  },
  {
    says: /^READONLY\b/,
    code: 'stream_unavailable',
    detail: 'is a read-only replica; the URL must name the primary',
  },
  { says: /^(LOADING|BUSY|TRYAGAIN)\b/, code: 'stream_unavailable', detail: 'is not ready yet' },
  { says: /^MISCONF\b/, code: 'stream_unavailable', detail: 'cannot write to its disk' },
  {
    says: /^(CLUSTERDOWN|MASTERDOWN|NOREPLICAS)\b/,
    code: 'stream_unavailable',
    detail: 'lacks other nodes that it needs',
  },
  {
    says: /^(MOVED|ASK|CROSSSLOT)\b/,
    code: 'stream_refused',
    detail: 'is one node of a cluster, and another holds this stream; the URL must name that one',
  },
  {
    says: /^WRONGTYPE\b|equal or smaller than/,
    code: 'stream_corrupt',
    detail: "holds something in the stream's keys that Spillway has not written",
  },
  {
    says: /DB index is out of range|SELECT is not allowed/,
    code: 'stream_refused',
    detail: 'has no database of the number that the URL names',
  },
  { says: /max number of clients/, code: 'stream_unavailable', detail: 'takes no more connections' },
  { says: /^(ERR|EXECABORT|NOPROTO)\b/, code: 'stream_refused', detail: 'cannot do what a stream needs' },
  {
    says: /^no answer for/,
    code: 'stream_unavailable',
    detail: 'does not answer: it is reading its data in, or does not get what it is asked',
    detailOverTls:
      'does not answer: it speaks no TLS there (then the URL begins with redis://), is reading its data in, or does not get what it is asked',
  },
  {
    says: /^at once: /,
    code: 'stream_unavailable',
    detail:
      'ends the connection at once: it wants TLS (then the URL begins with rediss://), is no Redis, or is just ending',
    detailOverTls:
      'ends the connection at once: it speaks no TLS there (then the URL begins with redis://), is no Redis, or is just ending',
  },
  { says: /ECONNREFUSED/, code: 'stream_unavailable', detail: 'cannot be reached: nothing listens there' },
  { says: /ENOTFOUND|EAI_AGAIN/, code: 'stream_unavailable', detail: 'cannot be reached: unknown host' },
  {
    says: /^Protocol error/,
    code: 'stream_unavailable',
    detail: 'does not answer as Redis does: a server of another kind, or something before it',
  },
  { says: /TIMEDOUT|EHOSTUNREACH|ENETUNREACH/, code: 'stream_unavailable', detail: 'cannot be reached' },
  {
    // It answers in plain text, or hangs up when it is greeted in TLS.
    says: /wrong version number|before secure TLS/,
    code: 'stream_unavailable',
    detail: 'speaks no TLS there (then the URL begins with redis://)',
  },
  {
    says: /certificate|self.signed|TLS|SSL/i,
    code: 'stream_unavailable',
    detail: 'and we did not agree on TLS; an authority of your own is named by NODE_EXTRA_CA_CERTS',
  },
];

/** A {@link StreamError} stays what it is; so does what the caller did wrong. */
export function translated(error: unknown, address: RedisAddress): Error {
  if (error instanceof StreamError || error instanceof RangeError) return error;
  const said = redacted(wordsOf(error), address);
  const meaning = MEANINGS.find(({ says }) => says.test(said));
  const detail =
    (address.tls ? meaning?.detailOverTls : undefined) ??
    meaning?.detail ??
    'cannot be reached: the connection was lost';
  return new StreamError(
    meaning?.code ?? 'stream_unavailable',
    `the Redis server ${address.shown} ${detail} (${said})`,
  );
}

/** Node tells of several addresses that were tried in an error that has no words of its own. */
function wordsOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ');
  const words = error instanceof Error ? error.message : String(error);
  // Scripts add where they failed, and the client whom to tell, which is of use to nobody else.
  return words
    .replace(/ Please report this\.$/, '')
    .replace(/ script: [0-9a-f]{40}, on @user_script:\d+\.?$/, '');
}

function redacted(words: string, { password }: RedisAddress): string {
  if (password === null) return words;
  return words.replaceAll(password, '[redacted]').replaceAll(encodeURIComponent(password), '[redacted]');
}
