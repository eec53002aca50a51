/**
 * `pnpm start`: the whole of Spillway on one machine, with nothing installed.
 *
 * stdout carries one line, when all is ready. The processes' own words: `<data dir>/logs/spillway.log`.
 */
import { join } from 'node:path';
import { checkDatabases } from './check-databases.ts';
import { checkStreams } from './choose-stream.ts';
import { parseSettings } from './config.ts';
import { leaveInWords } from './leave.ts';
import { runInstallation } from './supervise/installation.ts';

const entries = {
  api: join(import.meta.dirname, 'server.ts'),
  worker: join(import.meta.dirname, 'worker.ts'),
};
const repository = join(import.meta.dirname, '../../..');

try {
  const settings = parseSettings();
  await checkDatabases(settings);
  if (settings.databaseUrl !== null) {
    // Half a second of a core to load, and embedded databases are nobody else's.
    const { refuseSecondApi } = await import('./control-plane/api-lease/hold.ts');
    await refuseSecondApi(settings.databaseUrl);
  }
  const trouble = await checkStreams(settings);
  if (trouble !== null) process.stderr.write(`${trouble}; the workers go on trying\n`);
  await runInstallation(settings, entries, repository);
} catch (error) {
  leaveInWords(error);
}
