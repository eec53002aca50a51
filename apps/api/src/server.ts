/**
 * The control plane's entry point: `server.ts [--replaces PID,PID | --sole]`. One of the three places that choose adapters. `--replaces` is for whoever has
 * seen those processes end, `--sole` for whoever knows that no other api can reach the control database.
 *
 * It listens at once and says 503 until the control database is migrated and loaded, however long that takes; a database that
 * goes away later makes answers 503 and nothing else.
 */
import { renameSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openPostgresStore } from './adapters/store-postgres/open.ts';
import { checkReachedDatabases } from './check-databases.ts';
import { complaintAboutExternal } from './choose-external.ts';
import { parseSettings, SettingsError } from './config.ts';
import { createDirectory } from './control-plane/access/directory.ts';
import { webhooksSeal } from './control-plane/access/seal.ts';
import { removeOldSessions } from './control-plane/access/sessions.ts';
import { issueSignInCode, removeOldSignInCodes } from './control-plane/access/sign-in-codes.ts';
import { holdDatabase } from './control-plane/api-lease/hold.ts';
import { ApiInUseError } from './control-plane/api-lease/holder.ts';
import { createChanges } from './control-plane/changes.ts';
import type { Clock, ControlContext } from './control-plane/context.ts';
import { connect } from './control-plane/database/database.ts';
import { migrate } from './control-plane/database/migrate.ts';
import { closeInterruptedDrills } from './control-plane/drills/interrupted.ts';
import { startGovernor } from './control-plane/governor/loop.ts';
import { buildApp } from './control-plane/http/app.ts';
import { removeOldIdempotencyKeys } from './control-plane/http/idempotency.ts';
import { isUnreachable } from './control-plane/http/plugins/unreachable.ts';
import { createProbes } from './control-plane/probes/runner.ts';
import { seedDemo } from './control-plane/sources/demo.ts';
import { createStatistics } from './control-plane/sources/statistics.ts';
import { createTelemetry } from './control-plane/telemetry/recorder.ts';
import { resealSecrets } from './control-plane/webhooks/reseal.ts';
import { createWebhookRunner } from './control-plane/webhooks/runner.ts';
import { createWorkerHub } from './control-plane/workers/hub.ts';
import { Seldom } from './data-plane/seldom.ts';
import { leaveInWords, orLeaveInWords } from './leave.ts';
import { inWordsOfSettings } from './listen-address.ts';
import { createLog } from './log.ts';
import { announceReady, isSupervised, onDrain, onPrepare } from './supervise/channel.ts';
import { makeDataDir } from './supervise/data-dir-lock.ts';
import { adminTokenOf, forgetReplacedAdminToken, replacedAdminToken } from './supervise/secrets.ts';

const controlConnections = 8;
const storeConnections = 2;
const firstRetryMs = 100;
const lastRetryMs = 2_000;
const closeLimitMs = 1_000;
const housekeepingMs = 10 * 60_000;
const never = new Promise<never>(() => {});

const { values: options } = orLeaveInWords(() =>
  parseArgs({
    options: { replaces: { type: 'string' }, sole: { type: 'boolean', default: false } },
    strict: true,
  }),
);
const settings = orLeaveInWords(() => {
  const { databaseUrl, storeUrl, ...others } = parseSettings();
  if (databaseUrl === null || storeUrl === null)
    throw new SettingsError([
      'the api needs SPILLWAY_DATABASE_URL and SPILLWAY_STORE_URL (`pnpm start` sets them)',
    ]);
  return { databaseUrl, storeUrl, ...others };
});
const { databaseUrl, storeUrl } = settings;

const log = createLog('api');
process.on('unhandledRejection', (error) => log.error({ err: error }, 'nobody waited for this failure'));
// A supervisor has looked before it started anything.
if (!isSupervised())
  await checkReachedDatabases(settings, (sentence) => log.warn(sentence)).catch(leaveInWords);

const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() };
const { database, pool } = connect(databaseUrl, controlConnections, (error) =>
  log.error({ err: error }, 'what follows a committed change failed'),
);
const store = await openPostgresStore({ url: storeUrl, connectionsMax: storeConnections });
const statistics = createStatistics({ database, clock });
const foundation = {
  database,
  clock,
  store,
  workers: createWorkerHub(),
  changes: createChanges((error) => log.error({ err: error }, 'a listener failed')),
  statistics,
  log,
};
const telemetry = createTelemetry(foundation);
const probes = createProbes(foundation);
const ctx: ControlContext = { ...foundation, telemetry, probes };

const adminToken = settings.adminToken ?? adminTokenOf(settings.dataDir, null);
const directory = createDirectory({ database, clock, adminToken, workerToken: settings.workerToken });
const webhooks = createWebhookRunner(ctx, { seal: webhooksSeal(adminToken), named: settings.webhookHosts });
let prepared = false;
const othersLeave = new AbortController();
onPrepare(() => othersLeave.abort());
const app = await buildApp({
  ctx,
  directory,
  settings: {
    adminToken,
    workerToken: settings.workerToken,
    hosts: settings.hosts,
    trustedProxies: settings.trustedProxies,
    webhookHosts: settings.webhookHosts,
    sourceDirs: settings.sourceDirs,
    webDirectory: join(import.meta.dirname, '../../web/dist'),
  },
  webhooks,
  complaintAboutExternal,
  logger: log,
  prepared: () => prepared,
  drillsEnd: othersLeave.signal,
});

const stopping = new AbortController();
const stops: (() => void | Promise<void>)[] = [];
onDrain(async () => {
  stopping.abort();
  for (const stop of stops.reverse()) await stop();
  await app.close();
  // What a database has not answered by then it takes back when the connection ends with the process.
  await Promise.race([Promise.all([store.close(), pool.end()]), pause(closeLimitMs)]);
});

const url = await app
  .listen({ host: settings.host, port: settings.port })
  .catch((error: unknown) => {
    throw inWordsOfSettings(error, settings);
  })
  .catch(leaveInWords);
// Before it is migrated, which would change it under an api that works; the first migration makes the table for it.
let held = await untilDone('hold the control database', hold).catch(leaveInWords);
await untilDone('migrate the control database', () => migrate(databaseUrl));
held ??= await untilDone('hold the control database', hold).catch(leaveInWords);
stops.push(() => held?.release());
await untilDone('seal the secrets of the webhooks anew', sealAnew);
await untilDone('load the statistics of the sources', () => statistics.load());
if (settings.demo === 'flights')
  await untilDone('make the demo', () =>
    seedDemo(ctx, { liveEventsPerSecond: settings.demoLiveEventsPerSecond }),
  );
await untilDone('load the probes', () => probes.load());
await untilDone('close the drills of an earlier process', () => closeInterruptedDrills(ctx));
prepared = true;

telemetry.start();
stops.push(() => telemetry.stop());
probes.start();
stops.push(() => probes.stop());
webhooks.start();
stops.push(() => webhooks.stop());
const governor = startGovernor(ctx, telemetry);
stops.push(() => governor.stop());
stops.push(keepHouse());
void untilDone('prepare the store', () => store.migrate());

const { code } = await untilDone('make a sign-in code', () => issueSignInCode(database, clock));
keepAddress(url);
announceReady({ url, signInCode: code });
log.info({ url }, 'listening');

function hold() {
  return holdDatabase({
    database,
    candidate: {
      host: hostname(),
      pid: process.pid,
      url,
      replaces: options.sole ? 'all' : (options.replaces?.split(',').map(Number) ?? []),
    },
    signal: stopping.signal,
    failed: (error) => log.warn({ err: error }, 'the hold on the control database was not renewed'),
    lost: leaveInWords,
  });
}

/** Once after the admin token was replaced. */
async function sealAnew(): Promise<void> {
  const replaced = replacedAdminToken(settings.dataDir);
  if (replaced === null) return;
  const secrets = await resealSecrets(database, webhooksSeal(replaced), webhooksSeal(adminToken));
  forgetReplacedAdminToken(settings.dataDir);
  log.info({ secrets }, 'the admin token was replaced: what was sealed with the earlier one is sealed anew');
}

/**
 * Tries until it works: at a common start the database may come up later than we do. Told to stop meanwhile it never comes back: what would follow
 * needs what is being closed, and the drain ends the process.
 */
async function untilDone<T>(what: string, run: () => Promise<T>): Promise<T> {
  const said = new Seldom(clock);
  for (let retryMs = firstRetryMs; ; retryMs = Math.min(lastRetryMs, retryMs * 2)) {
    try {
      const done = await run();
      if (stopping.signal.aborted) return await never;
      return done;
    } catch (error) {
      if (stopping.signal.aborted) return await never;
      if (isFinal(error)) throw error;
      if (!isUnreachable(error) || said.isDue('away'))
        log.warn({ err: error }, `could not ${what} yet; it is tried again every ${lastRetryMs / 1000} s`);
      await pause(retryMs);
    }
  }
}

/** A schema newer than this code knows does not get older by waiting, and an api that works goes on. */
function isFinal(error: unknown): boolean {
  if (error instanceof ApiInUseError) return true;
  return error instanceof Error && 'code' in error && error.code === 'schema_newer';
}

/** Old sessions, codes and keys are of no use to anybody. */
function keepHouse(): () => void {
  const timer = setInterval(() => {
    Promise.all([
      removeOldSessions(database, clock),
      removeOldSignInCodes(database, clock),
      removeOldIdempotencyKeys(ctx),
    ]).catch((error: unknown) => log.warn({ err: error }, 'housekeeping failed'));
  }, housekeepingMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Where `pnpm sign-in` finds this api. */
function keepAddress(address: string): void {
  const path = join(settings.dataDir, 'api-url');
  try {
    makeDataDir(settings.dataDir);
    writeFileSync(`${path}.unfinished`, `${address}\n`);
    renameSync(`${path}.unfinished`, path);
  } catch (error) {
    log.warn({ err: error }, 'the address could not be written to the data directory');
  }
}
