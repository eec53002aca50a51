/**
 * The data plane's entry point: `worker.ts --role replay|apply|feed [--api URL] [--token TOKEN] [--replaces PID,PID]`.
 * Role and place are its arguments, what it is good for are settings. `--replaces` is for whoever has seen those processes end: their leases need not run out then.
 *
 * One of the three places that choose adapters. Everything a role needs is handed to it here; nothing below reads the
 * environment.
 */
import { hostname } from 'node:os';
import { openParquetSource } from './adapters/source-parquet/parquet-source.ts';
import { openPostgresStore } from './adapters/store-postgres/open.ts';
import { checkReachedDatabases } from './check-databases.ts';
import { openExternal } from './choose-external.ts';
import { historyCatalogue } from './choose-history.ts';
import { checkStreams, streamIdentity, streamOpener } from './choose-stream.ts';
import { runApplyWorker } from './data-plane/apply/apply-worker.ts';
import { systemClock } from './data-plane/clock.ts';
import { createControlClient } from './data-plane/control/control-client.ts';
import { runFeedWorker } from './data-plane/feed/feed-worker.ts';
import { readForward } from './data-plane/history/forward.ts';
import { runReplayWorker } from './data-plane/replay/replay-worker.ts';
import { flightsHistory, flightsPipeline } from './demo/flights.ts';
import { identitiesOf } from './identities.ts';
import { leaveInWords, orLeaveInWords } from './leave.ts';
import { createLog } from './log.ts';
import { announceReady, isSupervised, onDrain } from './supervise/channel.ts';
import { nicerWithReplay } from './supervise/niceness.ts';
import { version } from './version.ts';
import { readWorkerStart } from './worker-start.ts';

const start = orLeaveInWords(readWorkerStart);
const { role, apiUrl, token, replacedPids, settings } = start;

const log = createLog(`worker ${role}`);
// A supervisor has looked before it started anything.
if (!isSupervised()) await lookAtServers().catch(leaveInWords);
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

const work = run();
onDrain(async () => {
  stop.abort();
  await work;
});
announceReady();
await work.catch(leaveInWords);

/** @throws SettingsError for what will not pass by itself */
async function lookAtServers(): Promise<void> {
  const warn = (sentence: string) => log.warn(sentence);
  if (start.role !== 'feed')
    await checkReachedDatabases({ databaseUrl: null, storeUrl: start.storeUrl }, warn);
  const trouble = await checkStreams(settings);
  if (trouble !== null) warn(trouble);
}

async function run(): Promise<void> {
  const openStream = streamOpener(settings);
  const streams = () => streamIdentity(settings);
  const warn = (fields: object, message: string) => log.warn(fields, message);
  if (start.role === 'feed') {
    const history = openParquetSource(flightsHistory());
    const { live, repeat } = flightsPipeline;
    return runFeedWorker({
      ...common,
      identities: identitiesOf({ streams }, warn),
      pipelineId: flightsPipeline.id,
      openStream,
      liveFrom: live.from,
      events: (request) => readForward(history, { ...request, from: live.from, spanMs: repeat.spanMs }),
    });
  }
  const { storeUrl } = start;
  const store = await openPostgresStore({ url: storeUrl });
  const parts = {
    ...common,
    ...historyCatalogue(settings),
    identities: identitiesOf({ streams, store: () => store.identity() }, warn),
    openStream,
    store,
  };
  return start.role === 'replay'
    ? runReplayWorker({ ...parts, openExternal, leasesMax: settings.workerLeases })
    : runApplyWorker({ ...parts, applies: nicerWithReplay() });
}
