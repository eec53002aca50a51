/**
 * The environment, read once. Every process of Spillway parses it here; nothing else looks at `process.env`.
 *
 * An empty value counts as not set, so that `SPILLWAY_STORE_URL= pnpm start` means the default.
 */
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';

const TOKEN_LENGTH_MIN = 32;

/** What a bearer token may consist of (RFC 6750): another character could be set, and then nobody could send it. */
const Token = Type.Optional(
  Type.String({
    pattern: `^[A-Za-z0-9._~+/=-]{${TOKEN_LENGTH_MIN},512}$`,
    description: `at least ${TOKEN_LENGTH_MIN} characters out of A-Z a-z 0-9 . _ ~ + / = -`,
  }),
);

/** As written in the environment; the description completes "SPILLWAY_X must be …". */
const Environment = Type.Object({
  SPILLWAY_HOST: Type.String({ default: '127.0.0.1', description: 'a host name or an IP address' }),
  SPILLWAY_PORT: Type.Integer({
    default: 7878,
    minimum: 0,
    maximum: 65_535,
    description: 'a port, 0 to 65535',
  }),
  SPILLWAY_DATA_DIR: Type.String({ default: '.spillway', description: 'a directory' }),
  SPILLWAY_DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description: 'a URL like postgres://user:password@host/database',
    }),
  ),
  SPILLWAY_STORE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description: 'a URL like postgres://user:password@host/database',
    }),
  ),
  SPILLWAY_STREAM_URL: Type.String({
    default: 'embedded:',
    pattern: '^(embedded:$|rediss?://|valkeys?://|kafkas?://)',
    description: 'embedded:, or a URL that begins with redis://, valkey:// or kafka://',
  }),
  SPILLWAY_STREAM_ACCEPT: Type.Optional(
    Type.String({
      pattern:
        '^(eviction|persistence|retention|untrimmed)( *, *(eviction|persistence|retention|untrimmed))*$',
      description:
        'what the backbone may be lacking, separated by commas: of Redis eviction (a maxmemory-policy other than noeviction) and persistence (neither appendonly nor save), of Kafka retention (a limit by size, or an unknown one) and untrimmed (what is applied is not removed)',
    }),
  ),
  SPILLWAY_DEMO: Type.Optional(Type.String({ pattern: '^(flights|none)$', description: 'flights or none' })),
  SPILLWAY_DEMO_LIVE: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 5_000,
    description: 'events/s, 0 to 5000',
  }),
  SPILLWAY_WORKERS: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 64,
    description: 'a number of workers, 0 to 64',
  }),
  SPILLWAY_ADMIN_TOKEN: Token,
  SPILLWAY_TRUSTED_PROXY: Type.Optional(
    Type.String({
      description: 'addresses of proxies that end TLS, as IPs or CIDR ranges separated by commas',
    }),
  ),
  SPILLWAY_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.:_,\\[\\] -]+$',
      description:
        'names browsers use in the address bar, with the port unless it is 443 or 80, separated by commas',
    }),
  ),
  SPILLWAY_WEBHOOK_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.:_,\\[\\] -]+$',
      description:
        'hosts of this network that webhooks may be sent to, by name or address, each with its port or for every port, separated by commas',
    }),
  ),
  SPILLWAY_SOURCE_DIRS: Type.Optional(
    Type.String({
      pattern: '^/[^,]*(,\\s*/[^,]*)*$',
      description:
        'absolute paths of the folders that files of history may be read from, separated by commas',
    }),
  ),
  /** Between the supervisor and its processes, and for `pnpm worker`. */
  SPILLWAY_WORKER_TOKEN: Token,
  SPILLWAY_API_URL: Type.Optional(Type.String({ pattern: '^https?://', description: 'an http(s) URL' })),
});

type SettingName = keyof Static<typeof Environment>;

export interface Settings {
  host: string;
  /** 0: any free port. */
  port: number;
  /** Absolute. */
  dataDir: string;
  /** null: embedded. */
  databaseUrl: string | null;
  /** null: embedded. */
  storeUrl: string | null;
  streamUrl: string;
  /** Dangers of the backbone's settings that the operator accepts: of Redis the first two, of Kafka the others. */
  streamAccepts: ('eviction' | 'persistence' | 'retention' | 'untrimmed')[];
  demo: 'flights' | 'none';
  demoLiveEventsPerSecond: number;
  /** Replay workers supervised on this machine. */
  workers: number;
  /** null: kept in the data directory. */
  adminToken: string | null;
  /** IPs or CIDR ranges whose X-Forwarded-* headers are believed. */
  trustedProxies: string[];
  /** `Host` values that are served besides the loopback names. */
  hosts: string[];
  /** `host` or `host:port`, lower case: webhooks may go there though the address is loopback or private. */
  webhookHosts: string[];
  /** Folders that files of history may be read from, absolute. */
  sourceDirs: string[];
  workerToken: string | null;
  apiUrl: string | null;
}

export class SettingsError extends Error {
  /** One sentence for each setting that is wrong; values are never repeated, some are secrets. */
  readonly problems: string[];

  constructor(problems: string[]) {
    super(`The settings cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
    this.problems = problems;
  }
}

/** @throws SettingsError naming every setting that is wrong */
export function parseSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const given = Value.Default(Environment, readGiven(environment));
  const wrong = new Set(
    [...Value.Errors(Environment, given)].map(({ instancePath }) => instancePath.slice(1)),
  );
  const problems = [...wrong].map((name) => `${name} must be ${descriptionOf(name as SettingName)}`);
  if (problems.length > 0) throw new SettingsError(problems);
  const settings = toSettings(given as Static<typeof Environment>);
  const refusals = refuse(settings);
  if (refusals.length > 0) throw new SettingsError(refusals);
  return settings;
}

/** The known settings that have a value; digits become numbers where a number is expected. */
function readGiven(environment: NodeJS.ProcessEnv): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(Environment.properties)) {
    const text = environment[name]?.trim();
    if (text === undefined || text === '') continue;
    given[name] = 'minimum' in schema && /^\d{1,9}$/.test(text) ? Number(text) : text;
  }
  return given;
}

function descriptionOf(name: SettingName): string {
  return (Environment.properties[name] as { description?: string }).description ?? 'different';
}

function toSettings(given: Static<typeof Environment>): Settings {
  const databaseUrl = given.SPILLWAY_DATABASE_URL ?? null;
  const storeUrl = given.SPILLWAY_STORE_URL ?? null;
  const streamUrl = given.SPILLWAY_STREAM_URL;
  const allEmbedded = databaseUrl === null && storeUrl === null && streamUrl === 'embedded:';
  return {
    host: given.SPILLWAY_HOST,
    port: given.SPILLWAY_PORT,
    dataDir: resolve(given.SPILLWAY_DATA_DIR),
    databaseUrl,
    storeUrl,
    streamUrl,
    streamAccepts: listOf(given.SPILLWAY_STREAM_ACCEPT) as Settings['streamAccepts'],
    demo: (given.SPILLWAY_DEMO as Settings['demo'] | undefined) ?? (allEmbedded ? 'flights' : 'none'),
    demoLiveEventsPerSecond: given.SPILLWAY_DEMO_LIVE,
    workers: given.SPILLWAY_WORKERS,
    adminToken: given.SPILLWAY_ADMIN_TOKEN ?? null,
    trustedProxies: listOf(given.SPILLWAY_TRUSTED_PROXY),
    hosts: listOf(given.SPILLWAY_HOSTS),
    webhookHosts: listOf(given.SPILLWAY_WEBHOOK_HOSTS).map((host) => host.toLowerCase()),
    sourceDirs: sourceDirsOf(given),
    workerToken: given.SPILLWAY_WORKER_TOKEN ?? null,
    apiUrl: given.SPILLWAY_API_URL ?? null,
  };
}

function sourceDirsOf({
  SPILLWAY_SOURCE_DIRS: named,
  SPILLWAY_DATA_DIR: dataDir,
}: Static<typeof Environment>) {
  const folders = listOf(named);
  return (folders.length > 0 ? folders : [join(dataDir, 'history')]).map((folder) => resolve(folder));
}

function listOf(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean);
}

/** What is well-formed by itself but may not be together. */
function refuse(settings: Settings): string[] {
  const refusals: string[] = [];
  for (const [name, url] of [
    ['SPILLWAY_DATABASE_URL', settings.databaseUrl],
    ['SPILLWAY_STORE_URL', settings.storeUrl],
    ['SPILLWAY_API_URL', settings.apiUrl],
  ] as const) {
    if (url !== null && !URL.canParse(url)) refusals.push(`${name} is not a URL`);
  }
  if (!settings.trustedProxies.every(isRange)) {
    refusals.push(`SPILLWAY_TRUSTED_PROXY must be ${descriptionOf('SPILLWAY_TRUSTED_PROXY')}`);
  }
  if (isLoopback(settings.host)) return refusals;
  const reachable = `SPILLWAY_HOST ${settings.host} can be reached from other machines`;
  if (settings.adminToken === null) refusals.push(`${reachable}: set SPILLWAY_ADMIN_TOKEN`);
  if (settings.trustedProxies.length === 0) {
    refusals.push(`${reachable}: put a proxy that ends TLS before it and name it in SPILLWAY_TRUSTED_PROXY`);
  }
  return refusals;
}

/** `localhost` may be resolved to anything by a hosts file, but then the machine is lost anyway. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function isRange(range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}

/** For logs: passwords in URLs and tokens are replaced. */
export function redactSettings(settings: Settings): Record<string, unknown> {
  const secret = (value: string | null): string | null => (value === null ? null : '[redacted]');
  return {
    ...settings,
    databaseUrl: redactUrl(settings.databaseUrl),
    storeUrl: redactUrl(settings.storeUrl),
    streamUrl: redactUrl(settings.streamUrl),
    apiUrl: redactUrl(settings.apiUrl),
    adminToken: secret(settings.adminToken),
    workerToken: secret(settings.workerToken),
  };
}

/**
 * Without the password, and without the values of the query, where drivers take secrets too (`?password=`,
 * `?sslpassword=`). Not by `new URL`: `kafka://a:9092,b:9092` is none.
 */
export function redactUrl(url: string | null): string | null {
  if (url === null) return null;
  const [beforeQuery = '', query] = url.split('?', 2);
  const redacted = beforeQuery.replace(/^([a-z]+:\/\/)[^/]*@/i, '$1[redacted]@');
  if (query === undefined) return redacted;
  return `${redacted}?${query.replace(/([^&=]*(?:password|secret|token|key)[^&=]*)=[^&]*/gi, '$1=[redacted]')}`;
}
