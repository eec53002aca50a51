import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workerRoles } from '@spillway/shared/api/worker-protocol';
import { expect, test } from 'vitest';

/** What deploy/ starts, reads and hands on is there: nobody has run it here. (Settings: settings.test.ts; metrics: dashboards.test.ts.) */
const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const all = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, name = '']) => name);
const sorted = (names: readonly string[]) => [...new Set(names)].toSorted();

const units = globSync('deploy/systemd/*.service', { cwd: root }).sort();
const compose = read('deploy/compose/compose.yaml');

/** Exit codes by their names in `leave.ts`. */
const exits = Object.fromEntries(
  [...read('apps/api/src/leave.ts').matchAll(/const EXIT_(\w+) = (\d+);/g)].map(([, name, code]) => [
    name,
    code,
  ]),
);

test.each(units)('%s starts what there is, and is handed what it reads', (path) => {
  const unit = read(path);
  const [script = '', argument, role] =
    /^ExecStart=\/usr\/bin\/node (.+)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  expect(existsSync(join(root, script)), script).toBe(true);
  expect([argument, role]).toEqual(script.endsWith('worker.ts') ? ['--role', '%i'] : [undefined, undefined]);
  expect(sorted(all(unit, /=%d\/([\w-]+)$/gm))).toEqual(sorted(all(unit, /^LoadCredential=([\w-]+):/gm)));
  // Nothing that a restart could not change is tried again and again.
  expect(/^RestartPreventExitStatus=(.+)$/m.exec(unit)?.[1]?.split(' ')).toContain(exits['WRONG_SETTINGS']);
});

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
  const roles = all(compose, /--role, (\w+)/g);
  expect(roles.length).toBeGreaterThan(3);
  for (const role of roles) expect(workerRoles).toContain(role);
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
