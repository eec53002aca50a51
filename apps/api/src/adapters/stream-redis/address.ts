/** Where a Redis or Valkey server is, from its URL. */
import type { Reach } from '../../data-plane/ports.ts';
import { parseGivenUrl } from '../../given-url.ts';

export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly username: string | null;
  readonly password: string | null;
  readonly database: number;
  readonly tls: boolean;
  /** `host:port`, for messages. */
  readonly shown: string;
  readonly reach: Reach;
}

const DEFAULT_PORT = 6379;
const TLS: Readonly<Record<string, boolean>> = {
  'redis:': false,
  'valkey:': false,
  'rediss:': true,
  'valkeys:': true,
};

/**
 * Of `redis://user:password@host:port/database`; `rediss://` and `valkeys://` over TLS. Everything but the host may be left out.
 * Errors: RangeError that completes "the URL …" and repeats nothing of it, as it may hold a password.
 */
export function addressOf(url: string): RedisAddress {
  const parsed = parseGivenUrl(url);
  if (typeof parsed === 'string') throw new RangeError(parsed);
  const { protocol, hostname, port, username, password, pathname, search, hash } = parsed;
  const tls = TLS[protocol];
  if (tls === undefined)
    throw new RangeError('must begin with redis://, valkey://, rediss:// or valkeys:// (the last two: TLS)');
  if (hostname === '') throw new RangeError('names no host');
  if (!/^\/?(\d{1,4})?$/.test(pathname))
    throw new RangeError('may name a database by its number after the host, as in redis://host:6379/1');
  if (search !== '' || hash !== '')
    throw new RangeError(
      'may have nothing after the database; in a password, ? and # are written %3F and %23',
    );
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    host,
    port: port === '' ? DEFAULT_PORT : Number(port),
    username: decoded(username),
    password: decoded(password),
    database: Number(pathname.slice(1)),
    tls,
    shown: `${hostname}:${port === '' ? DEFAULT_PORT : port}`,
    reach: host === 'localhost' || host === '::1' || host.startsWith('127.') ? 'local' : 'network',
  };
}

function decoded(part: string): string | null {
  if (part === '') return null;
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RangeError('holds a % that is no percent-encoding; a % itself is written %25');
  }
}
