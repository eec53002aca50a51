/**
 * `pnpm start`: the whole of Spillway on one machine, with nothing installed.
 *
 * stdout carries one line, when all is ready. The processes' own words: `<data dir>/logs/spillway.log`.
 */
import { join } from 'node:path';
import { checkStreams } from './choose-stream.ts';
import { parseSettings, SettingsError } from './config.ts';
import { DataDirInUseError } from './supervise/data-dir-lock.ts';
import { runInstallation } from './supervise/installation.ts';

const EXIT_DATA_DIR_IN_USE = 75;
const EXIT_WRONG_SETTINGS = 78;

const entries = {
  api: join(import.meta.dirname, 'server.ts'),
  worker: join(import.meta.dirname, 'worker.ts'),
};
const repository = join(import.meta.dirname, '../../..');

try {
  const settings = parseSettings();
  const trouble = await checkStreams(settings);
  if (trouble !== null) process.stderr.write(`${trouble}; the workers go on trying\n`);
  await runInstallation(settings, entries, repository);
} catch (error) {
  if (!(error instanceof SettingsError) && !(error instanceof DataDirInUseError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(error instanceof SettingsError ? EXIT_WRONG_SETTINGS : EXIT_DATA_DIR_IN_USE);
}
