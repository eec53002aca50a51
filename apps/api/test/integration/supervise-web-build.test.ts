import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessLog } from '../../src/supervise/process-log.ts';
import { buildWebWhenStale } from '../../src/supervise/web-build.ts';

const REAL_MODULES = join(import.meta.dirname, '../../../web/node_modules');
let repository: string;
let log: ProcessLog;

beforeEach(() => {
  repository = mkdtempSync(join(tmpdir(), 'spillway-web-'));
  log = new ProcessLog(join(repository, 'log'), () => undefined);
  write('packages/shared/src/rate.ts', 'export const rate = 1;');
});

afterEach(() => {
  log.close();
  rmSync(repository, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(join(repository, path, '..'), { recursive: true });
  writeFileSync(join(repository, path), text);
}

function writeWeb(): void {
  write('apps/web/index.html', '<script type="module" src="/src/main.ts"></script>');
  write('apps/web/package.json', '{ "type": "module" }');
  write(
    'apps/web/src/main.ts',
    'import { rate } from "../../../packages/shared/src/rate.ts"; document.title = String(rate);',
  );
  symlinkSync(REAL_MODULES, join(repository, 'apps/web/node_modules'));
}

function builtScript(): string {
  const assets = join(repository, 'apps/web/dist/assets');
  return readdirSync(assets)
    .map((name) => readFileSync(join(assets, name), 'utf8'))
    .join('\n');
}

describe('the build of the web app', () => {
  it('happens when files are missing or a source has changed, and not otherwise', async () => {
    expect(await buildWebWhenStale(repository, log)).toBe('no-sources');
    writeWeb();
    expect(await buildWebWhenStale(repository, log)).toBe('built');
    expect(existsSync(join(repository, 'apps/web/dist/index.html'))).toBe(true);
    expect(await buildWebWhenStale(repository, log)).toBe('up-to-date');
    write('packages/shared/src/rate.ts', 'export const rate = 4711;');
    expect(await buildWebWhenStale(repository, log)).toBe('built');
    expect(builtScript()).toContain('4711');
    rmSync(join(repository, 'apps/web/dist'), { recursive: true });
    expect(await buildWebWhenStale(repository, log)).toBe('built');
  });

  it('says why it failed, and is tried again', async () => {
    writeWeb();
    write('apps/web/src/main.ts', 'import "./gone.ts";');
    await expect(buildWebWhenStale(repository, log)).rejects.toThrow(/gone\.ts/);
    write('apps/web/src/gone.ts', 'document.title = "back";');
    expect(await buildWebWhenStale(repository, log)).toBe('built');
  });
});
