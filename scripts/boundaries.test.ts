import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSteps } from './check-steps.ts';

/** The rules in biome.json are only worth something if a planted violation fails, so each one is planted. */
const root = join(import.meta.dirname, '..');
const biome = join(root, 'node_modules/.bin/biome');

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'spillway-boundaries-'));
  cpSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  writeFileSync(join(folder, '.gitignore'), 'node_modules/\n');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the `boundaries` check over just these files; its exit code and what it said. */
function check(files: Record<string, string>): { code: number | null; said: string } {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const [, ...args] = checkSteps.find((step) => step.name === 'boundaries')!.command;
  const run = spawnSync(biome, args, { cwd: folder, encoding: 'utf8' });
  for (const path of Object.keys(files)) rmSync(join(folder, path));
  return { code: run.status, said: run.stdout + run.stderr };
}

const api = 'apps/api/src';

describe('what may import what', () => {
  test.each([
    [
      'control plane imports data plane',
      `${api}/control-plane/backfill/start.ts`,
      '../../data-plane/ports.ts',
    ],
    [
      'control plane imports an adapter',
      `${api}/control-plane/sources/list.ts`,
      '../../adapters/store-postgres/a.ts',
    ],
    [
      'data plane imports control plane',
      `${api}/data-plane/replay/reader.ts`,
      '../../control-plane/context.ts',
    ],
    [
      'data plane imports an adapter',
      `${api}/data-plane/replay/reader.ts`,
      '../../adapters/stream-embedded/a.ts',
    ],
    [
      'an adapter imports control plane',
      `${api}/adapters/store-postgres/a.ts`,
      '../../control-plane/context.ts',
    ],
    ['another room imports an adapter', `${api}/supervise/supervisor.ts`, '../adapters/store-postgres/a.ts'],
    ['the api imports the browser', `${api}/control-plane/http/app.ts`, '../../../../web/src/main.tsx'],
    ['shared imports node:', 'packages/shared/src/governor/decide.ts', 'node:fs'],
    ['shared imports node:fs/promises', 'packages/shared/src/governor/decide.ts', 'node:fs/promises'],
    ['shared imports an app', 'packages/shared/src/governor/decide.ts', '../../../../apps/api/src/config.ts'],
    [
      'the browser imports the api',
      'apps/web/src/features/now/api/now.ts',
      '../../../../../api/src/config.ts',
    ],
  ])('refused: %s', (_name, path, imported) => {
    for (const text of [
      `import { thing } from '${imported}';\nconsole.log(thing);\n`,
      `import type { Thing } from '${imported}';\nexport type Other = Thing;\n`,
      `export { thing } from '${imported}';\n`,
      `export const load = () => import('${imported}');\n`,
    ]) {
      const { code, said } = check({ [path]: text });
      expect(said).toContain('noRestrictedImports');
      expect(code).not.toBe(0);
    }
  });

  test.each([
    ['an entry point chooses adapters', `${api}/worker.ts`, './adapters/store-postgres/a.ts'],
    [
      'a test imports an adapter',
      'apps/api/test/conformance/store.test.ts',
      '../../src/adapters/store-postgres/a.ts',
    ],
    ['an adapter implements a port', `${api}/adapters/store-postgres/a.ts`, '../../data-plane/ports.ts'],
    ['both planes use shared', `${api}/control-plane/backfill/start.ts`, '@spillway/shared/backfill/states'],
    [
      'the browser has an api folder of its own',
      'apps/web/src/features/now/components/a.tsx',
      '../api/now.ts',
    ],
  ])('allowed: %s', (_name, path, imported) => {
    const { code, said } = check({
      [path]: `import { thing } from '${imported}';\nexport const other = thing;\n`,
    });
    expect(said).not.toContain('noRestrictedImports');
    expect(code).toBe(0);
  });

  test('refused: a cycle', () => {
    const { code, said } = check({
      'packages/shared/src/a.ts': `import { b } from './b.ts';\nexport const a = () => b;\n`,
      'packages/shared/src/b.ts': `import { a } from './a.ts';\nexport const b = () => a;\n`,
    });
    expect(said).toContain('noImportCycles');
    expect(code).not.toBe(0);
  });
});
