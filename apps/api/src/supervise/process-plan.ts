/** Which processes make up one installation, with which settings and Node flags. Decides; starts nothing. */
import { join } from 'node:path';
import type { Settings } from '../config.ts';
import { connectionUrl, socketDirectoryOf } from './embedded-postgres/socket-dir.ts';
import { NICENESS } from './niceness.ts';
import type { ProcessSpec } from './supervised-process.ts';

/** A predecessor that lost its supervisor leaves by itself, once its statement is done. */
const LOCK_WAIT_MS = 10_000;

/** Absolute paths of the programs. */
export interface Entries {
  api: string;
  worker: string;
}

export type PlannedSettings = Settings & { adminToken: string; workerToken: string };

/**
 * Memory: all processes together stay under 1.5 GiB. The limits are ceilings against a leak, far above what is used;
 * a small young generation costs some time and saves tens of MiB in each process. Beside servers there are no databases of ours, and the room is worth a
 * third of the processor time of a worker at work: what it reads lives for some milliseconds, and is garbage before a larger one is full.
 */
const NODE_FLAGS = {
  database: ['--max-semi-space-size=2', '--max-old-space-size=192'],
  api: ['--max-semi-space-size=8', '--max-old-space-size=256'],
  worker: ['--max-semi-space-size=8', '--max-old-space-size=320'],
  workerBesideServers: ['--max-semi-space-size=32', '--max-old-space-size=320'],
} as const;

export interface ProcessPlan {
  databases(): ProcessSpec[];
  api(): ProcessSpec;
  /** After a restart the api listens where it did before. */
  apiListensOn(url: string): void;
  workers(): ProcessSpec[];
}

export function planProcesses(settings: PlannedSettings, entries: Entries): ProcessPlan {
  const control = join(settings.dataDir, 'control');
  const store = join(settings.dataDir, 'store');
  const databaseUrl = settings.databaseUrl ?? connectionUrl(socketDirectoryOf(control));
  const storeUrl = settings.storeUrl ?? connectionUrl(socketDirectoryOf(store));
  let port = settings.port;
  let apiUrl = '';

  /** What the shell holds that is not Spillway's; and where Node keeps modules compiled, so that a process need not compile them at each start. */
  const outside = (): NodeJS.ProcessEnv => ({
    NODE_COMPILE_CACHE: join(settings.dataDir, 'compile-cache'),
    ...withoutSpillway(process.env),
  });

  const database = (
    name: string,
    directory: string,
    sharedBuffers: string,
    niceness: number,
  ): ProcessSpec => ({
    name,
    tier: 'database',
    niceness,
    entry: join(import.meta.dirname, 'embedded-postgres/main.ts'),
    args: () => [
      ...['--dir', directory, '--socket-dir', socketDirectoryOf(directory)],
      ...['--shared-buffers', sharedBuffers, '--lock-wait-ms', String(LOCK_WAIT_MS)],
    ],
    nodeFlags: [...NODE_FLAGS.database],
    environment: outside,
  });

  const shared = (): NodeJS.ProcessEnv => ({
    ...outside(),
    SPILLWAY_DATA_DIR: settings.dataDir,
    SPILLWAY_DATABASE_URL: databaseUrl,
    SPILLWAY_STORE_URL: storeUrl,
    SPILLWAY_STREAM_URL: settings.streamUrl,
    SPILLWAY_STREAM_ACCEPT: settings.streamAccepts.join(','),
    SPILLWAY_DEMO: settings.demo,
    SPILLWAY_DEMO_LIVE: String(settings.demoLiveEventsPerSecond),
    SPILLWAY_WORKER_TOKEN: settings.workerToken,
  });

  const worker = (name: string, role: string, niceness: number): ProcessSpec => ({
    name,
    tier: 'worker',
    niceness,
    entry: entries.worker,
    args: (endedPids) => ['--role', role, ...replacing(endedPids)],
    nodeFlags: [...(settings.storeUrl === null ? NODE_FLAGS.worker : NODE_FLAGS.workerBesideServers)],
    environment: () => ({
      ...shared(),
      SPILLWAY_API_URL: apiUrl,
      SPILLWAY_WORKER_LEASES: String(settings.workerLeases),
      SPILLWAY_WORKER_TAGS: settings.workerTags.join(','),
      SPILLWAY_SOURCE_DIRS: settings.sourceDirs.join(','),
    }),
  });

  /** On a server one applies live and the other replay, and either takes over from the other; an embedded store serves one at a time. */
  const appliers = settings.storeUrl === null ? ['apply'] : ['apply', 'apply-2'];
  const applying = settings.storeUrl === null ? NICENESS.store : NICENESS.besideServers;

  return {
    databases: () => [
      ...(settings.databaseUrl === null
        ? [database('control-database', control, '16MB', NICENESS.operators)]
        : []),
      ...(settings.storeUrl === null ? [database('store-database', store, '16MB', NICENESS.store)] : []),
    ],
    api: () => ({
      name: 'api',
      tier: 'api',
      niceness: NICENESS.operators,
      entry: entries.api,
      // An embedded control database is behind the lock of the data directory.
      args: (endedPids) => (settings.databaseUrl === null ? ['--sole'] : replacing(endedPids)),
      nodeFlags: [...NODE_FLAGS.api],
      environment: () => ({
        ...shared(),
        SPILLWAY_HOST: settings.host,
        SPILLWAY_PORT: String(port),
        SPILLWAY_ADMIN_TOKEN: settings.adminToken,
        SPILLWAY_TRUSTED_PROXY: settings.trustedProxies.join(','),
        SPILLWAY_HOSTS: settings.hosts.join(','),
        SPILLWAY_WEBHOOK_HOSTS: settings.webhookHosts.join(','),
        SPILLWAY_SOURCE_DIRS: settings.sourceDirs.join(','),
      }),
    }),
    apiListensOn: (url) => {
      apiUrl = url;
      port = Number(new URL(url).port) || port;
    },
    workers: () => [
      ...(settings.workers > 0 ? appliers.map((name) => worker(name, 'apply', applying)) : []),
      ...Array.from({ length: settings.workers }, (_, index) =>
        worker(`replay-${index + 1}`, 'replay', NICENESS.replay),
      ),
      ...(settings.demo === 'flights' ? [worker('feed', 'feed', NICENESS.operators)] : []),
    ],
  };
}

/** What was theirs need not run out. */
function replacing(endedPids: readonly number[]): string[] {
  return endedPids.length === 0 ? [] : ['--replaces', endedPids.join(',')];
}

/** Each process gets the settings meant for it, not what the shell happens to hold. */
function withoutSpillway(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('SPILLWAY_')));
}
