/** What an admin has said of where a source's history lies: as it is kept, as it is shown, and what a schema cannot say about it. Pure. */
import { isAbsolute, normalize, sep } from 'node:path';
import type { Problem } from '@spillway/shared/api/problem';
import type { S3History, SourceHistory } from '@spillway/shared/api/source';
import { parsePartitions } from '@spillway/shared/sources/partitions';
import { parseKafkaSource } from '../../kafka-address.ts';
import { parsePostgresTarget } from '../../postgres-target.ts';
import { shownUrl } from '../outbound/shown-url.ts';
import { ProblemError } from '../problem-error.ts';

/** Made for the adapter of its kind. Credentials are kept as they were given. */
export function configOf(
  { kind, ...config }: SourceHistory,
  sources: KeysBySource,
): { connector: string; config: object } {
  return { connector: kind, config: { ...config, sources } };
}

/** Source id -> the keys that feed it; null: every key. */
export type KeysBySource = Readonly<Record<string, readonly string[] | null>>;

const REDACTED = '[redacted]';

/** Without credentials. Null: it was not made by a request. */
export function shownHistory({
  connector,
  config,
}: {
  readonly connector: string;
  readonly config: unknown;
}): SourceHistory | null {
  const { sources: _, ...definition } = config as {
    sources?: unknown;
    path?: string;
    url?: string;
    bucket?: string;
    credentials?: object;
  };
  const { path, url, bucket, credentials } = definition;
  if (path === undefined && url === undefined && bucket === undefined) return null;
  return {
    kind: connector,
    ...definition,
    ...(url === undefined ? {} : { url: connector === 'kafka' ? shownBrokers(url) : shownUrl(url) }),
    ...(credentials === undefined
      ? {}
      : { credentials: Object.fromEntries(Object.keys(credentials).map((name) => [name, REDACTED])) }),
  } as SourceHistory;
}

/** Not by `new URL`, which knows one host only. */
function shownBrokers(url: string): string {
  return url.replace(/^(kafkas?:\/\/)[^/?#]*@/, '$1');
}

type Complaint = Problem['errors'][number];

/** What is shown of credentials is none: who has read a source and sends it back would lose them. */
function aboutCredentials(credentials: S3History['credentials']): Complaint[] {
  return Object.entries(credentials ?? {}).flatMap(([name, value]) =>
    value === REDACTED
      ? [{ pointer: `/history/credentials/${name}`, detail: 'must be given again: what is shown is not it' }]
      : [],
  );
}

/** Errors: `invalid_source` for what cannot be used, as far as can be said without looking. */
export function refuseUnusable(history: SourceHistory, folders: readonly string[]): void {
  const complaints = complaintsAbout(history, folders);
  const [first] = complaints;
  if (first !== undefined)
    throw new ProblemError('invalid_source', `${first.pointer} ${first.detail}`, { errors: complaints });
}

/** Pointers point into the body; no url is quoted. */
function complaintsAbout(history: SourceHistory, folders: readonly string[]): Complaint[] {
  if (history.kind === 'postgres') {
    const target = parsePostgresTarget(history.url);
    return typeof target === 'string' ? [{ pointer: '/history/url', detail: target }] : [];
  }
  if (history.kind === 'kafka') {
    const address = parseKafkaSource(history.url);
    return typeof address === 'string' ? [{ pointer: '/history/url', detail: address }] : [];
  }
  const place = history.kind === 's3' ? aboutObjects(history) : aboutPath(history.path, folders);
  return [...place, ...aboutPartitions(history.partitions)];
}

/** What only some formats have. */
function aboutObjects({ endpoint, credentials, format, columns, timeFormat, delimiter }: S3History) {
  const found = aboutCredentials(credentials);
  const say = (pointer: string, detail: string) => found.push({ pointer: `/history/${pointer}`, detail });
  if (endpoint !== undefined && !URL.canParse(endpoint)) say('endpoint', 'is not a URL');
  if (format === 'parquet' && columns.id !== undefined)
    say('columns/id', 'is not known in Parquet: an id is the object and the row');
  if (format === 'parquet' && timeFormat !== undefined)
    say('timeFormat', 'is not known in Parquet, whose times have a type');
  if (format !== 'csv' && delimiter !== undefined) say('delimiter', 'is known in CSV alone');
  return found;
}

function aboutPartitions(template: string | undefined): Complaint[] {
  const partitions = template === undefined ? null : parsePartitions(template);
  return typeof partitions === 'string' ? [{ pointer: '/history/partitions', detail: partitions }] : [];
}

function aboutPath(path: string, folders: readonly string[]): Complaint[] {
  if (!isAbsolute(path) || normalize(path) !== path.replace(/(?<=.)\/$/, ''))
    return [{ pointer: '/history/path', detail: 'must be an absolute path without . and ..' }];
  const inside = folders.some(
    (folder) => path === folder || path.startsWith(`${folder.replace(/\/$/, '')}${sep}`),
  );
  return inside
    ? []
    : [
        {
          pointer: '/history/path',
          detail: `is in none of the folders that SPILLWAY_SOURCE_DIRS names (${folders.join(', ')})`,
        },
      ];
}
