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

/** @throws SettingsError naming everything that is wrong */
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
  const settings = parseSettings(environment);
  const { storeUrl } = settings;
  const role = workerRoles.find((name) => name === given.role);
  const apiUrl = given.api ?? settings.apiUrl;
  const token = given.token ?? settings.workerToken;
  const replacedPids = given.replaces?.split(',').map(Number) ?? [];
  const problems: string[] = [];
  if (role === undefined) problems.push(`--role must be one of ${workerRoles.join(', ')}`);
  if (!replacedPids.every((pid) => Number.isSafeInteger(pid) && pid > 0))
    problems.push('--replaces must be ids of processes, with commas between them');
  if (apiUrl === null || token === null)
    problems.push(
      'a worker needs --api URL and --token TOKEN (or SPILLWAY_API_URL and SPILLWAY_WORKER_TOKEN)',
    );
  const complaint = given.api === undefined ? null : complaintAboutApiUrl(given.api);
  if (complaint !== null) problems.push(`--api ${complaint}`);
  if (role !== undefined && role !== 'feed' && storeUrl === null)
    problems.push(`the ${role} role needs SPILLWAY_STORE_URL`);
  if (role === undefined || apiUrl === null || token === null || problems.length > 0)
    throw new SettingsError(problems);
  const place = { settings, apiUrl, token, replacedPids };
  if (role === 'feed') return { ...place, role };
  return { ...place, role, storeUrl: storeUrl as string };
}
