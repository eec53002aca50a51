/** `pnpm sign-in`: prints a fresh sign-in address of the Spillway that runs on this data directory. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SignInCode } from '@spillway/shared/api/session';
import type { Static } from 'typebox';
import { parseSettings } from './config.ts';
import { orLeaveInWords } from './leave.ts';

const { dataDir, adminToken, apiUrl } = orLeaveInWords(parseSettings);

function kept(file: string, what: string): string {
  try {
    return readFileSync(join(dataDir, file), 'utf8').trim();
  } catch {
    process.stderr.write(
      `There is no ${what} in ${dataDir}: is Spillway running, and is this its data directory (SPILLWAY_DATA_DIR)? What is not kept there is named by SPILLWAY_API_URL and SPILLWAY_ADMIN_TOKEN_FILE.\n`,
    );
    process.exit(1);
  }
}

const url = apiUrl ?? kept('api-url', 'address of the api');
const token = adminToken ?? kept('admin-token', 'admin token');
const response = await fetch(new URL('/v1/sign-in-codes', url), {
  method: 'POST',
  headers: { authorization: `Bearer ${token}` },
}).catch(() => null);
if (response?.status !== 201) {
  process.stderr.write(
    response === null
      ? `Spillway does not answer at ${url}\n`
      : `Spillway answered ${response.status} at ${url}\n`,
  );
  process.exit(1);
}
const { code, expiresAt } = (await response.json()) as Static<typeof SignInCode>;
process.stdout.write(`${url}/#code=${code}\nGood once, until ${expiresAt}.\n`);
