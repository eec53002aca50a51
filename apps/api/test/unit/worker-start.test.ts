import { expect, test } from 'vitest';
import { SettingsError } from '../../src/config.ts';
import { readWorkerStart } from '../../src/worker-start.ts';

const environment = { SPILLWAY_WORKER_TOKEN: 'x'.repeat(40), SPILLWAY_STORE_URL: 'postgres://store/s' };

function problems(args: string[], given: NodeJS.ProcessEnv = environment): string[] {
  try {
    readWorkerStart(args, given);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

test('a worker is told everything that is wrong with its start at once', () => {
  expect(problems(['--role', 'apply', '--api', 'http://api:7878'])).toEqual([]);
  expect(problems(['--role', 'cook', '--replaces', '7,x'], {})).toEqual([
    expect.stringMatching(/^--role must be one of /),
    expect.stringMatching(/^--replaces must be /),
    expect.stringMatching(/^a worker needs --api URL and --token TOKEN/),
  ]);
});

test('also when a setting is wrong, without missing what that setting may have been meant to say', () => {
  const wrong = { SPILLWAY_PORT: 'canary', SPILLWAY_HOST: '0.0.0.0' };
  expect(problems(['--role', 'cook', '--api', 'ftp://api'], wrong)).toEqual([
    expect.stringMatching(/^SPILLWAY_PORT must be /),
    expect.stringMatching(/^--role must be one of /),
    expect.stringMatching(/^--api is not an /),
  ]);
  const unreadable = {
    ...environment,
    SPILLWAY_WORKER_TOKEN: undefined,
    SPILLWAY_WORKER_TOKEN_FILE: '/none',
  };
  expect(problems(['--role', 'apply', '--api', 'http://api:7878'], unreadable)).toEqual([
    expect.stringMatching(/^SPILLWAY_WORKER_TOKEN_FILE must be /),
  ]);
});

test.each([
  'https://worker:canary@proxy.internal',
  'https://canary@proxy.internal',
  'ftp://canary',
  'canary',
])('and where the api cannot be, without repeating it: %s', (api) => {
  const found = problems(['--role', 'apply', '--api', api]);
  expect(found).toEqual([expect.stringMatching(/^--api (must be without user and password|is not an? )/)]);
  expect(found[0]).not.toContain('canary');
});
