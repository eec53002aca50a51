import { execFile } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { leaseMs, workerRoles } from '@spillway/shared/api/worker-protocol';
import { expect, test } from 'vitest';

/** What deploy/ starts, reads and hands on is there: nobody has run it here. (Settings: settings.test.ts; metrics: dashboards.test.ts.) */
const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
const sorted = (names: readonly string[]) => [...new Set(names)].toSorted();

const units = globSync('deploy/systemd/*.service', { cwd: root }).sort();
const compose = read('deploy/compose/compose.yaml');
const elsewhere = read('deploy/compose/worker.yaml');

/** Exit codes by their names in `exit-codes.ts`. */
const exits = Object.fromEntries(
  [...read('apps/api/src/exit-codes.ts').matchAll(/const EXIT_(\w+) = (\d+);/g)].map(([, name, code]) => [
    name,
    code,
  ]),
);

test.each(units)('%s starts what there is, and is handed what it reads', (path) => {
  const unit = read(path);
  const [script = '', argument, role] =
    /^ExecStart=\/usr\/bin\/node (?:--max-[a-z-]+=\d+ )*(.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  expect(existsSync(join(root, script)), script).toBe(true);
  expect([argument, role]).toEqual(script.endsWith('worker.ts') ? ['--role', '%j'] : [undefined, undefined]);
  // %j is what the name ends with before the instance, so that there may be several of a role.
  if (role !== undefined) expect(workerRoles).toContain(/-(\w+)@\.service$/.exec(path)?.[1]);
  expect(sorted(all(unit, /=%d\/([\w-]+)$/gm))).toEqual(sorted(all(unit, /^LoadCredential=([\w-]+):/gm)));
  // Nothing that a restart could not change is tried again and again.
  expect(/^RestartPreventExitStatus=(.+)$/m.exec(unit)?.[1]?.split(' ')).toContain(exits['WRONG_SETTINGS']);
});

test.each(units)('%s tries what may pass, or be mended elsewhere, for as long as it takes', (path) => {
  const [unit = '', service = ''] = read(path).split('[Service]');
  expect(service).toMatch(/^Restart=on-failure$/m);
  const prevented = /^RestartPreventExitStatus=(.+)$/m.exec(service)?.[1]?.split(' ');
  expect(prevented).not.toContain(exits['UNREACHABLE']);
  // By itself systemd gives up after five starts in ten seconds.
  expect(unit).toMatch(/^StartLimitIntervalSec=0$/m);
});

test.each(units.filter((path) => /--role/.test(read(path))))(
  '%s is not started every second, and before its leases have run out',
  (path) => {
    const restartMs = Number(/^RestartSec=(\d+)$/m.exec(read(path))?.[1]) * 1_000;
    expect(restartMs).toBeGreaterThanOrEqual(5_000);
    expect(restartMs).toBeLessThan(leaseMs);
  },
);

test('what supervises is alone told to stop: it drains its processes in order', () => {
  const supervising = units.filter((path) => /^ExecStart=.*\/start\.ts$/m.test(read(path)));
  expect(supervising).toEqual(['deploy/systemd/spillway.service']);
  for (const path of supervising) expect(read(path)).toMatch(/^KillMode=mixed$/m);
});

test('the compose file starts what there is, in roles that there are', () => {
  for (const script of [
    ...all(compose, /\b(apps\/[\w./-]+\.ts)\b/g),
    ...all(read('deploy/Dockerfile'), /\b(apps\/[\w./-]+\.ts)\b/g),
  ])
    expect(existsSync(join(root, script)), script).toBe(true);
  const roles = all(compose + elsewhere, /--role, (\w+)/g);
  expect(roles.length).toBeGreaterThan(3);
  for (const role of roles) expect(workerRoles).toContain(role);
});

test('units are named as there are, one of each and two that apply', () => {
  const [, enabled = ''] = /^systemctl enable --now (.+)$/m.exec(read('deploy/README.md')) ?? [];
  const files = enabled.split(' ').map((name) => `${name.replace(/@.+/, '@')}.service`);
  expect(sorted(files)).toEqual(
    units.map((path) => basename(path)).filter((name) => name !== 'spillway.service'),
  );
  expect(enabled.match(/spillway-apply@/g)).toHaveLength(2);
});

test('a worker on another machine starts nothing but itself, with secrets that the first one has made', () => {
  expect(elsewhere).not.toMatch(/depends_on|networks|api:7878/);
  const [services = '', defined = ''] = elsewhere.split(/^secrets:\n/m);
  const names = sorted(all(defined, /\.\/secrets\/([\w-]+)/g));
  expect(names).toEqual(['store-url', 'stream-url', 'worker-token']);
  expect(sorted(all(services, /\/run\/secrets\/([\w-]+)/g))).toEqual(names);
  expect(sorted(all(services, /secrets: \[([^\]]+)\]/g).flatMap((list) => list.split(', ')))).toEqual(names);
  expect(all(read('deploy/compose/make-secrets.sh'), /^keep ([\w.-]+) /gm)).toEqual(
    expect.arrayContaining(names),
  );
  // What it reaches there is given out under the names that its URLs had.
  const published = all(read('deploy/compose/publish.yaml'), /^ {2}(\w+):$/gm);
  expect(published).toEqual(all(read('deploy/README.md'), /s\/@(\w+)\/@/g));
});

test('signing in where the token is a credential works as written', async () => {
  const [line = ''] = /^SPILLWAY_\S+ SPILLWAY_\S+ node \S+sign-in\.ts$/m.exec(read('deploy/README.md')) ?? [];
  const folder = mkdtempSync(join(tmpdir(), 'sign-in-'));
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url, request.headers.authorization);
    response.writeHead(201).end(JSON.stringify({ code: 'c0de', expiresAt: 'noon' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const token = 't'.repeat(32);
    writeFileSync(join(folder, 'admin-token'), `${token}\n`);
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const here = line
      .replace('http://127.0.0.1:7878', url)
      .replace('/etc/spillway', folder)
      .replace(' node ', ` SPILLWAY_DATA_DIR=${folder} ${process.execPath} `);
    const { stdout } = await promisify(execFile)('sh', ['-c', here], { cwd: root });
    expect(stdout).toContain(`${url}/#code=c0de\n`);
    expect(asked).toEqual(['/v1/sign-in-codes', `Bearer ${token}`]);
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

test('its secrets are made, handed on and read under the same names', () => {
  const [services = '', defined = ''] = compose.split(/^secrets:\n/m);
  const names = sorted(all(defined, /^ {2}([\w-]+): \{ file:/gm));
  expect(names.length).toBeGreaterThan(5);
  expect(sorted(all(services, /\/run\/secrets\/([\w-]+)/g))).toEqual(names);
  const handed = all(services, /secrets: \[([^\]]+)\]/g).flatMap((list) => list.split(', '));
  expect(sorted(handed)).toEqual(names);
  const made = all(read('deploy/compose/make-secrets.sh'), /^keep ([\w.-]+) /gm);
  expect(made).toEqual(expect.arrayContaining(all(defined, /\.\/secrets\/([\w.-]+)/g)));
});
