import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** What a browser under test needs: no sandbox for root, no traffic of its own. */
export const chromiumFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Where Chromium is: `SPILLWAY_CHROMIUM` when set (and then nowhere else), otherwise the first on the path. */
function findChromium(): string | undefined {
  const named = process.env.SPILLWAY_CHROMIUM;
  if (named) return isExecutable(named) ? named : undefined;
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isExecutable);
}

/**
 * Finds Chromium, or installs it with apt-get where that is possible without asking anyone (Linux, root).
 * Throws one sentence saying what to install where it is not: browser tests are never skipped.
 */
export function ensureChromium(): string {
  const found = findChromium();
  if (found) return found;
  if (process.env.SPILLWAY_CHROMIUM)
    throw new Error(
      `SPILLWAY_CHROMIUM names ${process.env.SPILLWAY_CHROMIUM}, which is not an executable file.`,
    );
  if (!mayInstall())
    throw new Error(
      'The browser tests need Chromium: install it (Debian, Ubuntu: "sudo apt-get install chromium"), or set SPILLWAY_CHROMIUM to its path.',
    );
  installChromium();
  const installed = findChromium();
  if (!installed) throw new Error('apt-get installed the package chromium, but no chromium is on the path.');
  return installed;
}

function mayInstall(): boolean {
  return process.platform === 'linux' && process.getuid?.() === 0 && isExecutable('/usr/bin/apt-get');
}

function installChromium(): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const aptGet = (...args: string[]) => execFileSync('/usr/bin/apt-get', args, { env, stdio: 'inherit' });
  try {
    aptGet('update', '-qq');
    aptGet('install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-liberation');
  } catch (cause) {
    throw new Error(
      'The browser tests need Chromium, and "apt-get install chromium" failed: see its words above.',
      {
        cause,
      },
    );
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
