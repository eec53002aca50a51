/**
 * A `postgres://` url as a connection of its own. Every field is set here, none is left to the driver's defaults: those come from this
 * process's environment and password file, and our own credentials are nobody else's.
 */
import type { ClientConfig } from 'pg';
import { parseGivenUrl } from './given-url.ts';

const sslModes = ['disable', 'no-verify', 'require', 'verify-full'] as const;
type SslMode = (typeof sslModes)[number];
const known: readonly string[] = ['host', 'port', 'user', 'password', 'dbname', 'sslmode'];

export interface PostgresTarget {
  /** A name, an address, or the folder of a unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  readonly sslMode: SslMode;
}

/** As far as every url of a database is judged, also one that the driver reads itself. Null: nothing is wrong with it. */
export function complaintAboutPostgresUrl(text: string): string | null {
  const url = parseGivenUrl(text);
  if (typeof url === 'string') return url;
  if (url.protocol !== 'postgres:' && url.protocol !== 'postgresql:') return 'must begin with postgres://';
  // libpq's others are left out: to the driver they mean what they do not mean there.
  const given = url.searchParams.get('sslmode') || null;
  const isKnown = given === null || (sslModes as readonly string[]).includes(given);
  return isKnown ? null : `sslmode must be one of ${sslModes.join(', ')}`;
}

/** A string says why the url cannot be used, without quoting it. */
export function parsePostgresTarget(text: string): PostgresTarget | string {
  const complaint = complaintAboutPostgresUrl(text);
  if (complaint !== null) return complaint;
  const url = new URL(text);
  const unknown = [...url.searchParams.keys()].some((name) => !known.includes(name));
  if (unknown) return `takes no parameters but ${known.join(', ')}`;
  const given = (name: string) => url.searchParams.get(name) || null;
  const sslMode = (given('sslmode') ?? 'disable') as SslMode;
  const port = Number(given('port') ?? (url.port || 5432));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return 'has a port that cannot be one';
  try {
    const user = given('user') ?? (decodeURIComponent(url.username) || 'postgres');
    return {
      host: bareHost(given('host') ?? (decodeURIComponent(url.hostname) || 'localhost')),
      port,
      user,
      password: given('password') ?? decodeURIComponent(url.password),
      database: given('dbname') ?? (decodeURIComponent(url.pathname.slice(1)) || user),
      sslMode,
    };
  } catch {
    return 'has an escape that cannot be read';
  }
}

/** For people: where it is, and nothing that lets anybody in. `database`: undefined where the driver knows of none. */
export function nameOf({
  host,
  port,
  database,
}: Pick<PostgresTarget, 'host' | 'port'> & { readonly database?: string | undefined }): string {
  return `database ${database} at ${isSocketFolder(host) ? host : `${host}:${port}`}`;
}

/** As of {@link nameOf}, of a url that need not be one. */
export function shownDatabase(url: string): string {
  const target = parsePostgresTarget(url);
  return typeof target === 'string' ? 'a database' : nameOf(target);
}

export function isSocketFolder(host: string): boolean {
  return host.startsWith('/');
}

/** To be completed with a connection of the caller's own making. */
export function clientConfig(
  { host, port, user, password, database, sslMode }: PostgresTarget,
  applicationName: string,
): ClientConfig {
  return {
    host,
    port,
    user,
    database,
    // An empty string would send the driver to look for one elsewhere; a function is asked and believed.
    password: () => password,
    application_name: applicationName,
    ssl: sslMode === 'disable' ? false : { rejectUnauthorized: sslMode !== 'no-verify' },
  };
}

/** Host of a URL as a name or an address: without the brackets of IPv6. */
function bareHost(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host;
}
