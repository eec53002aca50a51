/**
 * Every setting as written in the environment: what it must be, what holds without it, what it is for. docs/settings.md is made from
 * this (`pnpm settings`), so nothing is said of a setting twice.
 */
import { leasesPerWorker, workerTags } from '@spillway/shared/api/worker-protocol';
import { Type } from 'typebox';

const TOKEN_LENGTH_MIN = 32;

/** Who looks at a setting. `start`: the supervisor of one machine, which hands on to api and workers what is meant for them. */
export type SettingReader = 'start' | 'api' | 'worker' | 'sign-in';

interface Explained {
  /** Markdown; begins with what it is, ends without a full stop. */
  readonly meaning: string;
  readonly readBy: readonly SettingReader[];
  /** Of a setting without a default: what holds while it is not set. */
  readonly unset?: string;
  /** It lets somebody in: it is printed redacted, and may be given as the path of a file, under its name and `_FILE`. */
  readonly secret?: true;
}

/** What a bearer token may consist of (RFC 6750): another character could be set, and then nobody could send it. */
const token = (explained: Explained) =>
  Type.Optional(
    Type.String({
      pattern: `^[A-Za-z0-9._~+/=-]{${TOKEN_LENGTH_MIN},512}$`,
      description: `at least ${TOKEN_LENGTH_MIN} characters out of A-Z a-z 0-9 . _ ~ + / = -`,
      ...explained,
    }),
  );

const postgres = (explained: Explained) =>
  Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description: 'a URL like postgres://user:password@host/database',
      ...explained,
    }),
  );

/** Alone, or with commas between. */
function listPattern(names: readonly string[]): string {
  const one = `(${names.join('|')})`;
  return `^${one}( *, *${one})*$`;
}

/** The description completes "SPILLWAY_X must be …". */
export const Environment = Type.Object({
  SPILLWAY_HOST: Type.String({
    default: '127.0.0.1',
    description: 'a host name or an IP address',
    meaning:
      'where the api listens; any but loopback is refused without `SPILLWAY_ADMIN_TOKEN` and `SPILLWAY_TRUSTED_PROXY`',
    readBy: ['start', 'api'],
  }),
  SPILLWAY_PORT: Type.Integer({
    default: 7878,
    minimum: 0,
    maximum: 65_535,
    description: 'a port, 0 to 65535',
    meaning: 'the port the api listens on; 0: any free one, which the ready line names',
    readBy: ['start', 'api'],
  }),
  SPILLWAY_DATA_DIR: Type.String({
    default: '.spillway',
    description: 'a directory',
    meaning:
      'embedded databases, embedded streams, secrets, logs; of one installation alone, a second start on it is refused',
    readBy: ['start', 'api', 'worker', 'sign-in'],
  }),
  SPILLWAY_DATABASE_URL: postgres({
    meaning: 'the control database: jobs, leases, audit, telemetry',
    readBy: ['start', 'api'],
    unset: 'embedded',
    secret: true,
  }),
  SPILLWAY_STORE_URL: postgres({
    meaning: 'the store of events and buckets, best a database of its own',
    readBy: ['start', 'api', 'worker'],
    unset: 'embedded',
    secret: true,
  }),
  SPILLWAY_STREAM_URL: Type.String({
    default: 'embedded:',
    pattern: '^(embedded:$|rediss?://|valkeys?://|kafkas?://)',
    description: 'embedded:, or a URL that begins with redis://, valkey:// or kafka://',
    meaning:
      'the streams: `redis://` or `valkey://`, with TLS `rediss://` or `valkeys://`; user, password, port and database number may be left out. `kafka://user:password@host:9092,host2:9092/prefix`, with TLS `kafkas://`; `?mechanism=` is `plain` (the default), `scram-sha-256` or `scram-sha-512`, `?replication=` how many copies topics are made with; everything but one host may be left out',
    readBy: ['start', 'worker'],
    secret: true,
  }),
  SPILLWAY_STREAM_ACCEPT: Type.Optional(
    Type.String({
      pattern: listPattern(['eviction', 'persistence', 'retention', 'untrimmed']),
      description:
        'what the backbone may be lacking, separated by commas: of Redis eviction (a maxmemory-policy other than noeviction) and persistence (neither appendonly nor save), of Kafka retention (a limit by size, or an unknown one) and untrimmed (what is applied is not removed)',
      meaning: 'dangers of the streams that are accepted by name; any other is refused',
      readBy: ['start', 'worker'],
      unset: 'nothing',
    }),
  ),
  SPILLWAY_DEMO: Type.Optional(
    Type.String({
      pattern: '^(flights|none)$',
      description: 'flights or none',
      meaning:
        'the demo pipeline: its sources, its live feed and a first backfill; where it was removed it stays so',
      readBy: ['start', 'api'],
      unset: '`flights` while everything is embedded, else `none`',
    }),
  ),
  SPILLWAY_DEMO_LIVE: Type.Integer({
    default: 100,
    minimum: 0,
    maximum: 5_000,
    description: 'events/s, 0 to 5000',
    meaning: "rate of the demo's live feed at its first start; later `PATCH /v1/pipelines/flights`",
    readBy: ['start', 'api'],
  }),
  SPILLWAY_WORKERS: Type.Integer({
    default: 1,
    minimum: 0,
    maximum: 64,
    description: 'a number of workers, 0 to 64',
    meaning:
      'replay workers that `start` supervises on this machine, and an apply worker with them, or two with the store on a server; 0: all are elsewhere',
    readBy: ['start'],
  }),
  SPILLWAY_ADMIN_TOKEN: token({
    meaning: 'the admin API token; when set, it replaces the kept one',
    readBy: ['start', 'api', 'sign-in'],
    unset: 'generated, kept in the data directory (mode 0600)',
    secret: true,
  }),
  SPILLWAY_TRUSTED_PROXY: Type.Optional(
    Type.String({
      description: 'addresses of proxies that end TLS, as IPs or CIDR ranges separated by commas',
      meaning: 'whose `X-Forwarded-*` headers are believed',
      readBy: ['start', 'api'],
      unset: 'nobody',
    }),
  ),
  SPILLWAY_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.:_,\\[\\] -]+$',
      description:
        'names browsers use in the address bar, with the port unless it is 443 or 80, separated by commas',
      meaning: '`Host` values that are served besides the loopback names',
      readBy: ['start', 'api'],
      unset: 'none',
    }),
  ),
  SPILLWAY_WEBHOOK_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[A-Za-z0-9.:_,\\[\\] -]+$',
      description:
        'hosts of this network that webhooks may be sent to, by name or address, each with its port or for every port, separated by commas',
      meaning: 'where webhooks may go although the address is loopback or private, or over http',
      readBy: ['start', 'api'],
      unset: 'none',
    }),
  ),
  SPILLWAY_SOURCE_DIRS: Type.Optional(
    Type.String({
      pattern: '^/[^,]*(,\\s*/[^,]*)*$',
      description:
        'absolute paths of the folders that files of history may be read from, separated by commas',
      meaning: 'where files of history lie, on every machine with a worker ([sources.md](sources.md))',
      readBy: ['start', 'api', 'worker'],
      unset: '`history` in the data directory',
    }),
  ),
  SPILLWAY_WORKER_TOKEN: token({
    meaning:
      'what workers show the api; a token with the role `worker` made by `POST /v1/tokens` does as well',
    readBy: ['start', 'api', 'worker'],
    unset: '`start` makes one for its own workers',
    secret: true,
  }),
  SPILLWAY_WORKER_LEASES: Type.Integer({
    default: leasesPerWorker.default,
    minimum: leasesPerWorker.min,
    maximum: leasesPerWorker.max,
    description: `a number of leases, ${leasesPerWorker.min} to ${leasesPerWorker.max}`,
    meaning: 'runs of subwindows that a replay worker reads at the same time',
    readBy: ['start', 'worker'],
  }),
  SPILLWAY_WORKER_TAGS: Type.Optional(
    Type.String({
      pattern: listPattern(workerTags),
      description: `tags separated by commas: ${workerTags.join(', ')}`,
      meaning:
        'what a worker is good for; `isolated`: it reads for backfills that ask for isolation, and for any other',
      readBy: ['start', 'worker'],
      unset: 'none',
    }),
  ),
  SPILLWAY_API_URL: Type.Optional(
    Type.String({
      pattern: '^https?://',
      description: 'an http(s) URL without user, password and path',
      meaning: 'where the api is',
      readBy: ['worker', 'sign-in'],
      unset: 'kept in the data directory for `sign-in`; a worker needs it, or `--api`',
    }),
  ),
});
