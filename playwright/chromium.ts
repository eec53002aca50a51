import { findProgram, install, isExecutable, mayInstall } from '../scripts/apt.ts';

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
  return findProgram(names);
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

function installChromium(): void {
  try {
    install('chromium', 'fonts-liberation');
  } catch (cause) {
    throw new Error(
      'The browser tests need Chromium, and "apt-get install chromium" failed: see its words above.',
      {
        cause,
      },
    );
  }
}
