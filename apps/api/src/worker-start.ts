/** What a worker is started with: its role and where the api is are arguments, or like everything else settings. */
import { parseArgs } from 'node:util';
import { workerRoles } from '@spillway/shared/api/worker-protocol';
import { complaintAboutApiUrl, parseSettings, type Settings, SettingsError } from './config.ts';

type WorkerStart = {
  readonly settings: Settings;
  readonly apiUrl: string;
  readonly token: string;
  /** That ended before this one began. */
  readonly replacedPids: readonly number[];
} & ({ readonly role: 'feed' } | { readonly role: 'replay' | 'apply'; readonly storeUrl: string });

/** @throws SettingsError naming everything that is wrong; what is missing, too, once the settings can be read */
export function readWorkerStart(
  args = process.argv.slice(2),
  environment: NodeJS.ProcessEnv = process.env,
): WorkerStart {
  const { values: given } = parseArgs({
    args,
    options: {
      role: { type: 'string' },
      api: { type: 'string' },
      token: { type: 'string' },
      replaces: { type: 'string' },
    },
    strict: true,
  });
  const { settings, problems } = settingsOrProblems(environment);
  // What a setting that is wrong was meant to be is not missed as well.
  const isMissing = (value: string | null) => value === null && settings !== null;
  const role = workerRoles.find((name) => name === given.role);
  const apiUrl = given.api ?? settings?.apiUrl ?? null;
  const token = given.token ?? settings?.workerToken ?? null;
  const storeUrl = settings?.storeUrl ?? null;
  const replacedPids = given.replaces?.split(',').map(Number) ?? [];
  if (role === undefined) problems.push(`--role must be one of ${workerRoles.join(', ')}`);
  if (!replacedPids.every((pid) => Number.isSafeInteger(pid) && pid > 0))
    problems.push('--replaces must be ids of processes, with commas between them');
  if (isMissing(apiUrl) || isMissing(token))
    problems.push(
      'a worker needs --api URL and --token TOKEN (or SPILLWAY_API_URL and SPILLWAY_WORKER_TOKEN)',
    );
  const complaint = given.api === undefined ? null : complaintAboutApiUrl(given.api);
  if (complaint !== null) problems.push(`--api ${complaint}`);
  if (role !== undefined && role !== 'feed' && isMissing(storeUrl))
    problems.push(`the ${role} role needs SPILLWAY_STORE_URL`);
  if (settings === null || role === undefined || apiUrl === null || token === null || problems.length > 0)
    throw new SettingsError(problems);
  const place = { settings, apiUrl, token, replacedPids };
  if (role === 'feed') return { ...place, role };
  return { ...place, role, storeUrl: storeUrl as string };
}

function settingsOrProblems(environment: NodeJS.ProcessEnv): {
  readonly settings: Settings | null;
  readonly problems: string[];
} {
  try {
    return { settings: parseSettings(environment), problems: [] };
  } catch (error) {
    if (error instanceof SettingsError) return { settings: null, problems: [...error.problems] };
    throw error;
  }
}
