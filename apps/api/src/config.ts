/**
 * The environment, read once. Every process of Spillway parses it here; nothing else looks at `process.env`.
 *
 * An empty value counts as not set, so that `SPILLWAY_STORE_URL= pnpm start` means the default. A secret may lie in a file that
 * `NAME_FILE` names, as services and containers are given theirs: the environment of a process is read by more than the process.
 */
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { WorkerTag } from '@spillway/shared/api/worker-protocol';
import type { Static } from 'typebox';
import Value from 'typebox/value';
import { Environment } from './environment.ts';
import { parseGivenUrl } from './given-url.ts';
import { complaintAboutPostgresUrl } from './postgres-target.ts';

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
  /** That a replay worker holds at a time. */
  workerLeases: number;
  workerTags: WorkerTag[];
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

/** @throws SettingsError naming every setting that is malformed; when none is, every one that is refused */
export function parseSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const { values, unreadable } = readGiven(environment);
  const given = Value.Default(Environment, values);
  const wrong = new Set(
    [...Value.Errors(Environment, given)].map(({ instancePath }) => instancePath.slice(1)),
  );
  const problems = [...wrong].map((name) => `${name} must be ${descriptionOf(name as SettingName)}`);
  if (unreadable.length + problems.length > 0) throw new SettingsError([...unreadable, ...problems]);
  const settings = toSettings(given as Static<typeof Environment>);
  const refusals = refuse(settings);
  if (refusals.length > 0) throw new SettingsError(refusals);
  return settings;
}

/** The known settings that have a value; digits become numbers where a number is expected. */
function readGiven(environment: NodeJS.ProcessEnv): {
  values: Record<string, unknown>;
  unreadable: string[];
} {
  const values: Record<string, unknown> = {};
  const unreadable: string[] = [];
  for (const [name, schema] of Object.entries(Environment.properties)) {
    const text = environment[name]?.trim() || undefined;
    const file = 'secret' in schema ? environment[`${name}_FILE`]?.trim() || undefined : undefined;
    if (text !== undefined && file !== undefined) {
      unreadable.push(`${name} and ${name}_FILE are both set: one of them must go`);
    } else if (file !== undefined) {
      const kept = readSecret(file);
      if (kept === null)
        unreadable.push(`${name}_FILE must be the path of a file that can be read and is not empty`);
      else values[name] = kept;
    } else if (text !== undefined) {
      values[name] = 'minimum' in schema && /^\d{1,9}$/.test(text) ? Number(text) : text;
    }
  }
  return { values, unreadable };
}

/** Without the line break that editors leave at the end; null: there is nothing to be read. */
function readSecret(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim() || null;
  } catch {
    return null;
  }
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
    workerLeases: given.SPILLWAY_WORKER_LEASES,
    workerTags: listOf(given.SPILLWAY_WORKER_TAGS) as WorkerTag[],
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
  ] as const) {
    const complaint = url === null ? null : complaintAboutPostgresUrl(url);
    if (complaint !== null) refusals.push(`${name} ${complaint}`);
  }
  const complaint = settings.apiUrl === null ? null : complaintAboutApiUrl(settings.apiUrl);
  if (complaint !== null) refusals.push(`SPILLWAY_API_URL ${complaint}`);
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

/** Why the api cannot be asked there, without quoting it; null: it can. */
export function complaintAboutApiUrl(text: string): string | null {
  const url = parseGivenUrl(text);
  if (typeof url === 'string') return url;
  if (!/^https?:$/.test(url.protocol)) return 'is not an http(s) URL';
  if (url.username !== '' || url.password !== '')
    return 'must be without user and password: they cannot be sent, a token is all that the api is shown';
  if (url.pathname + url.search + url.hash === '/') return null;
  return 'must end with its host or port: the api is at the root of what a proxy passes on';
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
