import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseSettings, redactSettings, redactUrl, SettingsError } from '../../src/config.ts';
import { parsePostgresTarget } from '../../src/postgres-target.ts';

const TOKEN = 'canary-admin-token-of-32-characters';

function problems(environment: NodeJS.ProcessEnv): string[] {
  try {
    parseSettings(environment);
    return [];
  } catch (error) {
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

describe('settings', () => {
  it('have the defaults of the reference, also when set to nothing', () => {
    const defaults = {
      host: '127.0.0.1',
      port: 7878,
      databaseUrl: null,
      storeUrl: null,
      streamUrl: 'embedded:',
      demo: 'flights',
    };
    expect(parseSettings({})).toMatchObject({
      ...defaults,
      demoLiveEventsPerSecond: 100,
      workers: 1,
      adminToken: null,
    });
    expect(parseSettings({ SPILLWAY_PORT: '', SPILLWAY_STORE_URL: ' ' })).toMatchObject(defaults);
  });

  it('name hosts for webhooks as they are compared: in lower case', () => {
    expect(parseSettings({}).webhookHosts).toEqual([]);
    const given = { SPILLWAY_WEBHOOK_HOSTS: 'Hooks.Internal, 127.0.0.1:9000 ,[::1]:80' };
    expect(parseSettings(given).webhookHosts).toEqual(['hooks.internal', '127.0.0.1:9000', '[::1]:80']);
  });

  it('name the folders of history, by themselves one in the data directory', () => {
    expect(parseSettings({ SPILLWAY_DATA_DIR: '/data' }).sourceDirs).toEqual(['/data/history']);
    const given = { SPILLWAY_SOURCE_DIRS: '/srv/history/, /mnt/archive' };
    expect(parseSettings(given).sourceDirs).toEqual(['/srv/history', '/mnt/archive']);
    expect(problems({ SPILLWAY_SOURCE_DIRS: 'history' })[0]).toMatch(
      /^SPILLWAY_SOURCE_DIRS must be absolute/,
    );
  });

  it('say what a worker is good for', () => {
    expect(parseSettings({})).toMatchObject({ workerTags: [], workerLeases: 8 });
    const given = { SPILLWAY_WORKER_TAGS: 'isolated', SPILLWAY_WORKER_LEASES: '2' };
    expect(parseSettings(given)).toMatchObject({ workerTags: ['isolated'], workerLeases: 2 });
  });

  it('accept what a backbone may be lacking by its name alone', () => {
    expect(parseSettings({}).streamAccepts).toEqual([]);
    const accepted = (names: string) => parseSettings({ SPILLWAY_STREAM_ACCEPT: names }).streamAccepts;
    expect(accepted('eviction')).toEqual(['eviction']);
    expect(accepted('persistence , eviction')).toEqual(['persistence', 'eviction']);
    expect(accepted('retention,untrimmed')).toEqual(['retention', 'untrimmed']);
  });

  it('show the demo only while everything is embedded, unless it is asked for', () => {
    const external = { SPILLWAY_STORE_URL: 'postgres://u:p@host/db' };
    expect(parseSettings(external).demo).toBe('none');
    expect(parseSettings({ ...external, SPILLWAY_DEMO: 'flights' }).demo).toBe('flights');
    expect(parseSettings({ SPILLWAY_STREAM_URL: 'kafka://a:9092,b:9092' }).demo).toBe('none');
  });

  it.each([
    ['SPILLWAY_PORT', '65536'],
    ['SPILLWAY_PORT', '-1'],
    ['SPILLWAY_PORT', '80a'],
    ['SPILLWAY_PORT', '0x50'],
    ['SPILLWAY_PORT', '1.5'],
    ['SPILLWAY_WORKERS', 'NaN'],
    ['SPILLWAY_WORKER_LEASES', '0'],
    ['SPILLWAY_WORKER_LEASES', '17'],
    ['SPILLWAY_WORKER_TAGS', 'shy'],
    ['SPILLWAY_DEMO_LIVE', '5001'],
    ['SPILLWAY_DEMO', 'trains'],
    ['SPILLWAY_DATABASE_URL', 'mysql://host/db'],
    ['SPILLWAY_DATABASE_URL', 'postgres://ada:p@ss/canary@127.0.0.1:15432/c2'],
    ['SPILLWAY_DATABASE_URL', 'postgres://ada:p#canary/c@host/c2'],
    ['SPILLWAY_STORE_URL', 'postgres://ada:p@ss?canary@host/c2'],
    ['SPILLWAY_STORE_URL', 'postgres://ada:12#canary@host/c2'],
    ['SPILLWAY_STREAM_URL', 'amqp://host'],
    ['SPILLWAY_STREAM_ACCEPT', 'all'],
    ['SPILLWAY_STREAM_ACCEPT', 'eviction,'],
    ['SPILLWAY_ADMIN_TOKEN', 'too-short'],
    ['SPILLWAY_ADMIN_TOKEN', 'long enough for a token, but nobody can send it!'.replaceAll(' ', '-')],
    ['SPILLWAY_WORKER_TOKEN', `${'w'.repeat(40)}!`],
    ['SPILLWAY_TRUSTED_PROXY', '10.0.0.0/33'],
    ['SPILLWAY_WEBHOOK_HOSTS', 'http://hooks.internal/'],
    ['SPILLWAY_API_URL', 'https://worker:canary@proxy.internal'],
    ['SPILLWAY_API_URL', 'https://canary@proxy.internal'],
    ['SPILLWAY_API_URL', 'https://'],
    ['SPILLWAY_API_URL', 'https://proxy.internal/canary'],
    ['SPILLWAY_API_URL', 'https://proxy.internal/?canary'],
    ['SPILLWAY_DATABASE_URL', 'postgres://u:canary@host/db?sslmode=prefer'],
    ['SPILLWAY_STORE_URL', 'postgres://u:canary@host/db?sslmode=verify-ca'],
  ])('refuse %s=%s and name the setting, not the value', (name, value) => {
    const found = problems({ [name]: value });
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(name);
    if (name === 'SPILLWAY_ADMIN_TOKEN') expect(found[0]).not.toContain(value);
    expect(found[0]).not.toContain('canary');
  });

  it('judge TLS as sources do, in the same words', () => {
    for (const mode of ['prefer', 'allow', 'verify-ca', 'require', 'verify-full', 'no-verify', 'disable']) {
      const url = `postgres://u@host/db?sslmode=${mode}`;
      const target = parsePostgresTarget(url);
      const said = typeof target === 'string' ? [`SPILLWAY_STORE_URL ${target}`] : [];
      expect(problems({ SPILLWAY_STORE_URL: url })).toEqual(said);
    }
  });

  it('take the root of a host for the api', () => {
    for (const url of ['http://127.0.0.1:7878', 'https://spillway.example.com/'])
      expect(parseSettings({ SPILLWAY_API_URL: url }).apiUrl).toBe(url);
  });

  it.each(['p@ss/canary', 'p#canary', 'p/canary', 'p?canary', '12/canary'])(
    'say of the password %s that it has to be percent-encoded',
    (password) => {
      for (const name of ['SPILLWAY_DATABASE_URL', 'SPILLWAY_STORE_URL'])
        expect(problems({ [name]: `postgres://ada:${password}@host/db` })).toEqual([
          expect.stringMatching(/are written %2F %3F %23 %40/),
        ]);
      const encoded = { SPILLWAY_STORE_URL: `postgres://ada:${encodeURIComponent(password)}@host/db` };
      expect(problems(encoded)).toEqual([]);
    },
  );

  it('name everything that is wrong at once', () => {
    expect(problems({ SPILLWAY_PORT: 'x', SPILLWAY_WORKERS: 'y' })).toHaveLength(2);
  });

  it('refuse a host that others can reach without an admin token and a named proxy', () => {
    expect(problems({ SPILLWAY_HOST: '0.0.0.0' })).toHaveLength(2);
    expect(problems({ SPILLWAY_HOST: '0.0.0.0', SPILLWAY_ADMIN_TOKEN: TOKEN })).toHaveLength(1);
    expect(problems({ SPILLWAY_HOST: '::', SPILLWAY_TRUSTED_PROXY: '10.0.0.1' })).toHaveLength(1);
    expect(problems({ SPILLWAY_HOST: '127.0.0.1.example.org' })).toHaveLength(2);
    expect(
      problems({
        SPILLWAY_HOST: '0.0.0.0',
        SPILLWAY_ADMIN_TOKEN: TOKEN,
        SPILLWAY_TRUSTED_PROXY: '10.0.0.1, fd00::/8',
      }),
    ).toEqual([]);
    for (const host of ['localhost', '127.0.0.1', '127.8.0.1', '::1'])
      expect(problems({ SPILLWAY_HOST: host })).toEqual([]);
  });

  it('take a secret from a file, and nothing else from one', () => {
    const folder = mkdtempSync(join(tmpdir(), 'spillway-settings-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    expect(parseSettings({ SPILLWAY_ADMIN_TOKEN_FILE: file('token', `${TOKEN}\n`) }).adminToken).toBe(TOKEN);
    expect(
      parseSettings({ SPILLWAY_ADMIN_TOKEN_FILE: ' ', SPILLWAY_PORT_FILE: file('port', '1') }),
    ).toMatchObject({ adminToken: null, port: 7878 });
    for (const path of [join(folder, 'absent'), folder, file('empty', '\n')])
      expect(problems({ SPILLWAY_STORE_URL_FILE: path })).toEqual([
        'SPILLWAY_STORE_URL_FILE must be the path of a file that can be read and is not empty',
      ]);
    const both = { SPILLWAY_ADMIN_TOKEN: TOKEN, SPILLWAY_ADMIN_TOKEN_FILE: file('other', TOKEN) };
    expect(problems(both)).toEqual([
      'SPILLWAY_ADMIN_TOKEN and SPILLWAY_ADMIN_TOKEN_FILE are both set: one of them must go',
    ]);
    const short = problems({ SPILLWAY_WORKER_TOKEN_FILE: file('short', 'canary-short') });
    expect(short).toEqual([expect.stringMatching(/^SPILLWAY_WORKER_TOKEN must be at least 32/)]);
    expect(short.join()).not.toContain('canary');
  });

  it('are printed without their secrets', () => {
    const settings = parseSettings({
      SPILLWAY_DATABASE_URL: 'postgres://user:canary-1@host/db?sslmode=require&password=canary-2',
      SPILLWAY_STORE_URL: 'postgresql://user:can@ry@host/db',
      SPILLWAY_STREAM_URL: 'rediss://:canary-3@host:6379',
      SPILLWAY_ADMIN_TOKEN: TOKEN,
      SPILLWAY_WORKER_TOKEN: 'canary-worker-token-of-32-characters',
    });
    const printed = JSON.stringify(redactSettings(settings));
    expect(printed).not.toMatch(/can@?ary|ry@/);
    expect(printed).toContain('host/db?sslmode=require');
    expect(redactUrl('kafka://a:9092,b:9092')).toBe('kafka://a:9092,b:9092');
  });
});
