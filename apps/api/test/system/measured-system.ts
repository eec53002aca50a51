/**
 * A system past its beginnings: its sources counted, its capacity measured, nothing replaying, set to run beside others. Getting there costs a minute of a core, so it
 * is done once a run, and every test that begins with it starts on a copy of what it left. The first start itself is shown by
 * `integration/system.test.ts` and by the newcomer's minutes in the browser.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { lockDataDir } from '../../src/supervise/data-dir-lock.ts';
import { copyTemplate, templateFolder } from '../fixtures/database-templates.ts';
import { quiet } from './backfills.ts';
import { besideOthers, configurePipeline } from './pipelines.ts';
import { type StartedSystem, startSystem } from './started-system.ts';

/** Two may come first together: the second waits for what the first one makes. */
const MADE_WITHIN_MS = 240_000;

export async function startMeasuredSystem(env: Record<string, string> = {}): Promise<StartedSystem> {
  return startSystem({ copyOf: await measuredDataDir(), env });
}

async function measuredDataDir(): Promise<string> {
  const directory = join(templateFolder(), 'measured');
  const lock = await lockDataDir(`${directory}-lock`, MADE_WITHIN_MS);
  try {
    if (!existsSync(directory)) await measure(directory);
  } finally {
    lock.release();
  }
  return directory;
}

/** `directory` appears by a rename, whole. */
async function measure(directory: string): Promise<void> {
  const dataDir = `${directory}.unfinished`;
  rmSync(dataDir, { recursive: true, force: true });
  copyTemplate('control', join(dataDir, 'control'));
  copyTemplate('initialised', join(dataDir, 'store'));
  const system = await startSystem({ dataDir });
  await quiet(system)
    .then(() => configurePipeline(system, besideOthers))
    .finally(() => system.stop());
  renameSync(dataDir, directory);
}
