/**
 * The web app's files, built when they are missing or older than their sources.
 *
 * "Older" is decided by content: a hash over the sources, kept beside the result. Times would rebuild after every
 * checkout and miss a change that came with an older time.
 */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { ProcessLog } from './process-log.ts';

const SOURCES = [
  'apps/web/src',
  'apps/web/public',
  'apps/web/index.html',
  'apps/web/package.json',
  'apps/web/vite.config.ts',
  'apps/web/build',
  'apps/web/tsconfig.json',
  'apps/web/postcss.config.cjs',
  'packages/shared/src',
  'packages/shared/package.json',
  'pnpm-lock.yaml',
];

export type WebBuildOutcome = 'no-sources' | 'up-to-date' | 'built';

/** @throws Error when the build fails */
export async function buildWebWhenStale(repository: string, log: ProcessLog): Promise<WebBuildOutcome> {
  const web = join(repository, 'apps/web');
  if (!existsSync(join(web, 'index.html'))) return 'no-sources';
  const hash = hashOfSources(repository);
  const hashPath = hashPathOf(repository);
  if (existsSync(hashPath) && readFileSync(hashPath, 'utf8') === hash) return 'up-to-date';
  await runBuild(web, log);
  webBuiltFrom(repository, hash);
  return 'built';
}

/** Says what the files were built from, whoever built them: no start will build them again. */
export function webBuiltFrom(repository: string, hash: string): void {
  writeFileSync(hashPathOf(repository), hash);
}

function hashPathOf(repository: string): string {
  return join(repository, 'apps/web/dist/.sources-hash');
}

export function hashOfSources(repository: string): string {
  const hash = createHash('sha256');
  for (const path of SOURCES.flatMap((source) => filesUnder(join(repository, source)))) {
    hash
      .update(`${relative(repository, path)}\0`)
      .update(readFileSync(path))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** In a process of its own: it needs some hundred MiB, which leave with it. */
function runBuild(web: string, log: ProcessLog): Promise<void> {
  const child = fork(join(import.meta.dirname, 'web-build-process.ts'), [web], {
    silent: true,
    detached: true,
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production', NO_COLOR: '1' },
  });
  let complaints = '';
  child.stderr?.on('data', (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-4_000);
  });
  log.follow('web-build', child.stdout, null);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`the web app cannot be built (${signal ?? `exit code ${code}`})\n${complaints}`));
    });
  });
}
