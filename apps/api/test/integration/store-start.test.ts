/** A start on databases that cannot be: it ends at once, with a sentence, and nothing has been begun. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSWORD, type PostgresServer, startPostgres } from '../fixtures/postgres-server.ts';
import { freePort } from '../fixtures/redis-server.ts';

const EXIT = { unreachable: 69, settings: 78 } as const;

let server: PostgresServer;
let folder: string;
beforeAll(async () => {
  server = await startPostgres();
  folder = mkdtempSync(join(tmpdir(), 'spillway-start-'));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Without a channel: by itself, as a shell or a service manager starts it. Whole when it has ended, or been told to once it has said `enough`. */
async function started(entry: string, args: string[], env: Record<string, string>, enough?: RegExp) {
  const child = spawn(
    process.execPath,
    [fileURLToPath(new URL(`../../src/${entry}`, import.meta.url)), ...args],
    {
      env: { PATH: process.env['PATH'], SPILLWAY_DATA_DIR: join(folder, 'data'), SPILLWAY_PORT: '0', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
    // A second signal would end it at once.
    if (!child.killed && enough?.test(output)) child.kill();
  });
  child.stderr.on('data', (chunk) => void (output += chunk));
  const [code] = await once(child, 'close');
  return { code, output };
}

let made = 0;
async function database(...statements: string[]): Promise<string> {
  const name = `start_${++made}`;
  await server.sql(`create database ${name}`);
  for (const statement of statements) await server.sql(statement, name);
  return name;
}
const url = (name: string, login = `postgres:${PASSWORD}`) =>
  `postgres://${login}@127.0.0.1:${server.port}/${name}`;

interface Refused {
  readonly what: string;
  readonly database: () => Promise<string>;
  readonly says: RegExp;
  readonly exit?: number;
}
const refused: Refused[] = [
  {
    what: 'a server that is not there',
    database: async () => `postgres://postgres:${PASSWORD}@127.0.0.1:${await freePort()}/postgres`,
    says: /database postgres at 127\.0\.0\.1:\d+ cannot be reached \(ECONNREFUSED\) \(database_unreachable\)/,
    exit: EXIT.unreachable,
  },
  {
    what: 'a wrong password',
    database: async () => url('postgres', 'postgres:canary-that-is-wrong'),
    says: /database postgres at .* does not accept the password \(database_denied\)/,
  },
  {
    what: 'no password',
    database: async () => url('postgres', 'postgres'),
    says: /asks for a password, and the URL has none \(database_denied\)/,
  },
  {
    what: 'a database that is not there',
    database: async () => url('nowhere'),
    says: /database nowhere at .* does not exist \(database_missing\)/,
  },
  {
    what: 'a user who may only read',
    database: async () => {
      const name = await database('revoke create on schema public from public');
      await server.sql(`create role ${name}_reader login password 'canary-of-the-reader'`);
      return url(name, `${name}_reader:canary-of-the-reader`);
    },
    says: /does not let the user create what is missing.* \(database_denied\)/,
  },
  {
    what: 'an encoding that does not hold every text',
    database: async () => {
      const name = `latin_${++made}`;
      await server.sql(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
      return url(name);
    },
    says: /has the encoding LATIN1.* \(database_unsuitable\)/,
  },
];

/** What may stand in one of the two and not in the other. */
const foreign = [
  {
    control: [
      'create table backfills (id text)',
      /table backfills that is not Spillway's.* \(database_foreign\)/,
    ],
    store: [
      'create schema spillway; create table spillway.events (id text)',
      /table events that is not Spillway's.* \(database_foreign\)/,
    ],
  },
  {
    control: [
      'create table spillway_schema (word text)',
      /table spillway_schema that is not.* \(database_foreign\)/,
    ],
    store: [
      `create schema spillway; create table spillway.migrations (number int); insert into spillway.migrations values (1)`,
      /has lost the table events.* \(database_incomplete\)/,
    ],
  },
  {
    control: [
      `create table spillway_schema (version int); insert into spillway_schema values (9999)`,
      /has schema 9999, .* \(schema_newer\)/,
    ],
    store: [
      `create schema spillway; create table spillway.migrations (number int); insert into spillway.migrations values (9999)`,
      /has schema 9999, .* \(schema_newer\)/,
    ],
  },
] as const;

/** A start tells of both databases what is wrong with them: each case is looked at in both with one start. */
describe('an installation is refused, with a sentence for each of its databases', () => {
  async function refusedWith(
    code: number,
    control: { readonly url: string; readonly says: RegExp },
    store: { readonly url: string; readonly says: RegExp },
  ): Promise<void> {
    const start = await started('start.ts', [], {
      SPILLWAY_DATABASE_URL: control.url,
      SPILLWAY_STORE_URL: store.url,
    });
    for (const [setting, { says }] of [
      ['SPILLWAY_DATABASE_URL', control],
      ['SPILLWAY_STORE_URL', store],
    ] as const)
      expect(start.output).toMatch(new RegExp(`${setting}: .*${says.source}`));
    expect(start.code).toBe(code);
    expect(start.output).not.toMatch(/canary/);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  }

  it.each(refused)('$what', async ({ database: make, says, exit }) => {
    await refusedWith(exit ?? EXIT.settings, { url: await make(), says }, { url: await make(), says });
  });

  it.each(foreign)('$control.0; $store.0', async ({ control, store }) => {
    await refusedWith(
      EXIT.settings,
      { url: url(await database(control[0])), says: control[1] },
      { url: url(await database(store[0])), says: store[1] },
    );
  });

  it('where the two are the wrong way round, though each could be made what it should be', async () => {
    const control = await database('create table spillway_schema (version int)');
    const store = await database('create schema spillway; create table spillway.migrations (number int)');
    const swapped = { SPILLWAY_DATABASE_URL: url(store), SPILLWAY_STORE_URL: url(control) };
    const { code, output } = await started('start.ts', [], swapped, /is ready on/);
    expect(output).toMatch(
      new RegExp(
        `SPILLWAY_DATABASE_URL and SPILLWAY_STORE_URL are the wrong way round: database ${store} at \\S+ is a store, database ${control} at \\S+ a control database \\(database_foreign\\)`,
      ),
    );
    expect(code).toBe(EXIT.settings);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  it.each(['SPILLWAY_DATABASE_URL', 'SPILLWAY_STORE_URL'])('also when it is %s alone', async (setting) => {
    const { code, output } = await started('start.ts', [], { [setting]: url('nowhere') });
    expect(output).toMatch(new RegExp(`${setting}: database nowhere .* \\(database_missing\\)`));
    expect(code).toBe(EXIT.settings);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});

describe('a process that is started by itself', () => {
  const wrong = () => url('postgres', 'postgres:canary-that-is-wrong');

  it('the api is refused in the same words', async () => {
    const { code, output } = await started('server.ts', [], {
      SPILLWAY_DATABASE_URL: wrong(),
      SPILLWAY_STORE_URL: url('nowhere'),
    });
    expect(output).toMatch(/SPILLWAY_DATABASE_URL: .*password \(database_denied\)/);
    expect(output).toMatch(/SPILLWAY_STORE_URL: database nowhere .* \(database_missing\)/);
    expect(output).not.toMatch(/canary/);
    expect(code).toBe(EXIT.settings);
  });

  it('in one database for both, as a user whose name is that of the store’s schema, which is there already, it starts', async () => {
    await server.sql(`create role spillway login password 'of-the-owner'`);
    const name = `both_${++made}`;
    await server.sql(`create database ${name} owner spillway`);
    await server.sql('create schema spillway authorization spillway', name);
    const both = url(name, 'spillway:of-the-owner');
    const env = {
      SPILLWAY_DATABASE_URL: both,
      SPILLWAY_STORE_URL: both,
      SPILLWAY_ADMIN_TOKEN: 'a'.repeat(40),
    };
    const { code, output } = await started('server.ts', [], env, /"listening"/);
    expect(code, output).toBe(0);
    const { rows } = await server.sql(
      "select table_schema as schema from information_schema.tables where table_name in ('backfills', 'audit')",
      name,
    );
    expect(rows).toEqual([{ schema: 'public' }, { schema: 'public' }]);
  });

  it('so is a worker', async () => {
    const token = 'x'.repeat(40);
    const { code, output } = await started(
      'worker.ts',
      ['--role', 'apply', '--api', 'http://127.0.0.1:1', '--token', token],
      { SPILLWAY_STORE_URL: wrong() },
    );
    expect(output).toMatch(/SPILLWAY_STORE_URL: .*password \(database_denied\)/);
    expect(output).not.toMatch(/canary/);
    expect(code).toBe(EXIT.settings);
  });

  it('wrong settings end it in a sentence for each, and with the code that says that they do not mend themselves', async () => {
    const token = { SPILLWAY_WORKER_TOKEN: 'x'.repeat(40) };
    const ends = await Promise.all([
      started('server.ts', [], { SPILLWAY_PORT: 'canary' }),
      started('server.ts', [], {}),
      started('worker.ts', ['--role', 'apply'], token),
      started('worker.ts', ['--role', 'feed', '--api', 'http://127.0.0.1:1'], {
        ...token,
        SPILLWAY_STREAM_URL: 'redis://127.0.0.1/canary',
      }),
      started('sign-in.ts', [], { SPILLWAY_PORT: 'canary' }),
    ]);
    for (const program of ['server.ts', 'worker.ts']) {
      const { code, output } = await started(program, ['--rol', 'replay'], {});
      expect(output).toMatch(/^Unknown option '--rol'/);
      expect(code).toBe(EXIT.settings);
    }
    const said = (...problems: string[]) => ({
      code: EXIT.settings,
      output: `The settings cannot be used:\n${problems.map((problem) => `  - ${problem}\n`).join('')}`,
    });
    expect(ends).toEqual([
      said('SPILLWAY_PORT must be a port, 0 to 65535'),
      said('the api needs SPILLWAY_DATABASE_URL and SPILLWAY_STORE_URL (`pnpm start` sets them)'),
      said(
        'a worker needs --api URL and --token TOKEN (or SPILLWAY_API_URL and SPILLWAY_WORKER_TOKEN)',
        'the apply role needs SPILLWAY_STORE_URL',
      ),
      said('SPILLWAY_STREAM_URL may name a database by its number after the host, as in redis://host:6379/1'),
      said('SPILLWAY_PORT must be a port, 0 to 65535'),
    ]);
  });

  it('a worker writes down no secret of what it is answered', async () => {
    const proxy = createServer((_asked, answer) =>
      answer.writeHead(502).end('no way to https://proxy:canary@api.internal/'),
    ).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
    const { port } = proxy.address() as AddressInfo;
    const { output } = await started(
      'worker.ts',
      ['--role', 'feed', '--api', `http://127.0.0.1:${port}`],
      { SPILLWAY_WORKER_TOKEN: 'x'.repeat(40) },
      /not joined.*\n/,
    );
    proxy.close();
    expect(output).toContain('no way to https://proxy:[redacted]@api.internal/');
    expect(output).not.toMatch(/canary/);
  });
});
