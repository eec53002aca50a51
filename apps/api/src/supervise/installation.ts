/**
 * One installation of Spillway on one machine, from lock to ready line to drain.
 *
 * Databases and the web app's build first, side by side; then the api; then the workers, which need the api's URL.
 */
import { join } from 'node:path';
import { redactSettings, type Settings } from '../config.ts';
import { refuseTakenAddress } from '../listen-address.ts';
import { lockDataDir } from './data-dir-lock.ts';
import { ProcessLog } from './process-log.ts';
import { type Entries, planProcesses } from './process-plan.ts';
import { adminTokenOf, newToken } from './secrets.ts';
import { StartFailedError, Supervisor } from './supervisor.ts';
import { buildWebWhenStale } from './web-build.ts';

/**
 * Resolves once everything is ready and has been announced on stdout; from then on the process lives until a signal.
 *
 * @throws DataDirInUseError when another installation runs on the data directory; AddressInUseError, SettingsError for where it is to listen
 */
export async function runInstallation(
  settings: Settings,
  entries: Entries,
  repository: string,
): Promise<void> {
  const lock = await lockDataDir(settings.dataDir);
  await refuseTakenAddress(settings);
  const log = new ProcessLog(join(settings.dataDir, 'logs/spillway.log'));
  log.info('supervisor', `settings ${JSON.stringify(redactSettings(settings))}`);
  const supervisor = new Supervisor(log);
  stopOnSignals(supervisor, () => {
    log.close();
    lock.release();
  });
  try {
    const plan = planProcesses(
      {
        ...settings,
        adminToken: adminTokenOf(settings.dataDir, settings.adminToken),
        workerToken: settings.workerToken ?? newToken(),
      },
      entries,
    );
    await Promise.all([supervisor.start(plan.databases()), buildWeb(repository, log)]);
    const [api] = await supervisor.start([plan.api()]);
    if (api?.url === undefined) throw new StartFailedError('the api did not say where it listens');
    plan.apiListensOn(api.url);
    await supervisor.start(plan.workers());
    const code = api.signInCode === undefined ? '' : `/#code=${api.signInCode}`;
    process.stdout.write(`Spillway is ready on ${api.url}${code}\n`);
  } catch (error) {
    if (supervisor.draining) return; // a signal came first, and ends this process
    log.warn('supervisor', (error as Error).message);
    await supervisor.drain();
    process.exit(1);
  }
}

/** Without the pages the REST API still does all they do, so a failed build is a warning. */
async function buildWeb(repository: string, log: ProcessLog): Promise<void> {
  try {
    log.info('web-build', await buildWebWhenStale(repository, log));
  } catch (error) {
    log.warn('web-build', (error as Error).message);
  }
}

/** The first signal drains, the second kills what is left. */
function stopOnSignals(supervisor: Supervisor, release: () => void): void {
  const stop = (): void => {
    if (supervisor.draining) {
      supervisor.killAll();
      return;
    }
    void supervisor.drain().then(() => {
      release();
      process.exit(0);
    });
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.on('SIGHUP', stop);
}
