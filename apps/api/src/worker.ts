/**
 * The data plane's entry point: `worker.ts --role replay|apply|feed [--api URL] [--token TOKEN] [--replaces PID,PID]`.
 * Role and place are its arguments, what it is good for are settings. `--replaces` is for whoever has seen those processes end: their leases need not run out then.
 *
 * One of the three places that choose adapters. Everything a role needs is handed to it here; nothing below reads the
 * environment.
 */
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { type WorkerRole, workerRoles } from '@spillway/shared/api/worker-protocol';
import pino from 'pino';
import { openParquetSource } from './adapters/source-parquet/parquet-source.ts';
import { openPostgresStore } from './adapters/store-postgres/open.ts';
import { checkReachedDatabases } from './check-databases.ts';
import { openExternal } from './choose-external.ts';
import { historyCatalogue } from './choose-history.ts';
import { streamOpener } from './choose-stream.ts';
import { parseSettings, type Settings } from './config.ts';
import { runApplyWorker } from './data-plane/apply/apply-worker.ts';
import { systemClock } from './data-plane/clock.ts';
import { createControlClient } from './data-plane/control/control-client.ts';
import { runFeedWorker } from './data-plane/feed/feed-worker.ts';
import { readForward } from './data-plane/history/forward.ts';
import { runReplayWorker } from './data-plane/replay/replay-worker.ts';
import { flightsHistory, flightsPipeline } from './demo/flights.ts';
import { leaveInWords } from './leave.ts';
import { announceReady, isSupervised, onDrain } from './supervise/channel.ts';
import { nicerWithReplay } from './supervise/niceness.ts';
import { version } from './version.ts';

const { values: options } = parseArgs({
  options: {
    role: { type: 'string' },
    api: { type: 'string' },
    token: { type: 'string' },
    replaces: { type: 'string' },
  },
  strict: true,
});
const role = workerRoles.find((name) => name === options.role);
if (role === undefined) throw new Error(`--role must be one of ${workerRoles.join(', ')}`);
const replacedPids = options.replaces?.split(',').map(Number) ?? [];
if (!replacedPids.every((pid) => Number.isSafeInteger(pid) && pid > 0))
  throw new Error('--replaces must be ids of processes, with commas between them');

const settings = parseSettings();
const apiUrl = options.api ?? settings.apiUrl;
const token = options.token ?? settings.workerToken;
if (apiUrl === null || token === null)
  throw new Error(
    'a worker needs --api URL and --token TOKEN (or SPILLWAY_API_URL and SPILLWAY_WORKER_TOKEN)',
  );

const log = pino({ name: `worker ${role}` });
if (!isSupervised() && role !== 'feed')
  await checkReachedDatabases({ databaseUrl: null, storeUrl: settings.storeUrl }, (sentence) =>
    log.warn(sentence),
  ).catch(leaveInWords);
const stop = new AbortController();
const common = {
  control: createControlClient({ apiUrl, token }),
  clock: systemClock,
  host: hostname(),
  // They had ended before this process began.
  replaces:
    replacedPids.length === 0 ? undefined : { pids: replacedPids, endedForMs: () => performance.now() },
  version,
  tags: settings.workerTags,
  signal: stop.signal,
  log,
};

const work = run(role, settings);
onDrain(async () => {
  stop.abort();
  await work;
});
announceReady();
await work;

async function run(chosen: WorkerRole, given: Settings): Promise<void> {
  const { storeUrl } = given;
  const openStream = streamOpener(given);
  const openStore = () => {
    if (storeUrl === null) throw new Error(`the ${chosen} role needs SPILLWAY_STORE_URL`);
    return openPostgresStore({ url: storeUrl });
  };
  switch (chosen) {
    case 'replay':
      return runReplayWorker({
        ...common,
        openStream,
        openExternal,
        ...historyCatalogue(given),
        store: await openStore(),
        leasesMax: given.workerLeases,
      });
    case 'apply':
      return runApplyWorker({
        ...common,
        openStream,
        ...historyCatalogue(given),
        store: await openStore(),
        applies: nicerWithReplay(),
      });
    case 'feed': {
      const history = openParquetSource(flightsHistory());
      const { live, repeat } = flightsPipeline;
      return runFeedWorker({
        ...common,
        pipelineId: flightsPipeline.id,
        openStream,
        liveFrom: live.from,
        events: (request) => readForward(history, { ...request, from: live.from, spanMs: repeat.spanMs }),
      });
    }
  }
}
