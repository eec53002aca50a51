import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Environment } from '../apps/api/src/environment.ts';
import { settingsDocument } from './settings-document.ts';

const root = join(import.meta.dirname, '..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');

const settings = Object.entries(Environment.properties).map(([name, schema]) => ({
  name,
  ...(schema as object),
}));
const secrets = settings.filter((setting) => 'secret' in setting).map(({ name }) => `${name}_FILE`);
const known = new Set([...settings.map(({ name }) => name), ...secrets]);
/** Not of a running Spillway: read by tests and the bench. */
const ofTests = /^SPILLWAY_(CHROMIUM|CRASH_ROUNDS|CRASH_SEED|TEST_[A-Z_]+|MODEL_RUNS|BENCH_QUICK)$/;

/** What is written for whoever sets them. */
const documents = globSync(
  ['*.md', 'docs/**/*.md', 'deploy/**/*.{md,yaml,yml,service,sh}', 'deploy/Dockerfile'],
  { cwd: root },
).sort();

function unknownSettings(text: string): string[] {
  const names = [...text.matchAll(/\bSPILLWAY_[A-Z_]*[A-Z]\b/g)].map(([name]) => name);
  return names.filter((name) => !known.has(name) && !ofTests.test(name));
}

test('docs/settings.md says what the schema says (pnpm settings writes it)', () => {
  expect(read('docs/settings.md')).toBe(settingsDocument());
});

test.each(settings)('$name says what it is, who reads it, and what holds without it', (setting) => {
  expect(setting).toMatchObject({
    description: expect.stringMatching(/^\S.*[^.\s]$/),
    meaning: expect.stringMatching(/^\S.*[^.\s]$/),
    readBy: expect.arrayContaining([expect.any(String)]),
  });
  expect('default' in setting || 'unset' in setting).toBe(true);
});

test.each(documents)('%s names no setting that does not exist', (path) => {
  expect(unknownSettings(read(path))).toEqual([]);
});

test('a setting that does not exist is found', () => {
  expect(
    unknownSettings('SPILLWAY_PORT, SPILLWAY_ADMIN_TOKEN_FILE, SPILLWAY_PORT_FILE and SPILLWAY_LEVITATE'),
  ).toEqual(['SPILLWAY_PORT_FILE', 'SPILLWAY_LEVITATE']);
});
