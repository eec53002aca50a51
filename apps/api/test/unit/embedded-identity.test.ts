/** Where the file system does not do what is asked of it. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { embeddedIdentity } from '../../src/adapters/stream-embedded/identity.ts';

const failing = vi.hoisted(() => ({ link: null as string | null, write: null as string | null }));

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  const failed = (code: string | null) => {
    if (code !== null) throw Object.assign(new Error(code), { code });
  };
  return {
    ...fs,
    linkSync: (...args: Parameters<typeof fs.linkSync>) => {
      failed(failing.link);
      fs.linkSync(...args);
    },
    writeFileSync: (...args: Parameters<typeof fs.writeFileSync>) => {
      fs.writeFileSync(...args);
      failed(failing.write);
    },
  };
});

let dataDir: string;
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'spillway-identity-'));
});
afterEach(() => {
  Object.assign(failing, { link: null, write: null });
  rmSync(dataDir, { recursive: true });
});

test.each(['EPERM', 'ENOTSUP'])('without links (%s) streams have one identity all the same', (code) => {
  failing.link = code;
  const { id } = embeddedIdentity(dataDir);
  expect(id).toMatch(/^[0-9a-f-]{36}$/);
  expect(embeddedIdentity(dataDir).id).toBe(id);
  expect(readdirSync(dataDir)).toEqual(['streams-id']);
});

test('a full disk leaves no files', () => {
  failing.write = 'ENOSPC';
  expect(() => embeddedIdentity(dataDir)).toThrow('ENOSPC');
  expect(readdirSync(dataDir)).toEqual([]);
});
