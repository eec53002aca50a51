import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { isRelease, madeOf, pictures, recordPictures, stalePictures } from './pictures.ts';

const root = join(import.meta.dirname, '..');
const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8');

test('a release shows its screens as they are (pnpm screenshots takes them anew)', () => {
  expect(isRelease(changelog) ? stalePictures(root) : []).toEqual([]);
});

test('every picture of the docs is one of a screen', () => {
  const there = globSync('docs/images/*.png', { cwd: root }).map((path) => basename(path, '.png'));
  expect(there.sort()).toEqual(Object.keys(pictures).sort());
});

test('a screen is made of what it imports, also what is fetched later, and not of other screens', () => {
  const made = madeOf(root, ['apps/web/src/pages/backfill.tsx']);
  expect(made).toEqual(
    expect.arrayContaining([
      'apps/web/src/pages/backfill.module.css',
      'apps/web/src/features/backfill/components/quarantine.tsx',
      'apps/web/src/lib/format.ts',
    ]),
  );
  expect(made.filter((path) => path.includes('/pages/'))).toEqual([
    'apps/web/src/pages/backfill.module.css',
    'apps/web/src/pages/backfill.tsx',
  ]);
});

test('a change makes the pictures stale that show it, and taking them makes them fresh', () => {
  const repository = mkdtempSync(join(tmpdir(), 'spillway-pictures-'));
  onTestFinished(() => rmSync(repository, { recursive: true }));
  cpSync(join(root, 'apps/web/src'), join(repository, 'apps/web/src'), { recursive: true });
  cpSync(join(root, 'packages/shared/src'), join(repository, 'packages/shared/src'), { recursive: true });
  cpSync(join(root, 'docs/images/now.png'), join(repository, 'docs/images/now.png'));
  expect(stalePictures(repository)).toEqual(Object.keys(pictures));
  recordPictures(repository);
  expect(stalePictures(repository)).toEqual([]);

  const change = (path: string) => {
    const file = join(repository, path);
    writeFileSync(file, `${readFileSync(file, 'utf8')}\n`);
  };
  // A schema: in the browser nothing is left of it.
  change('packages/shared/src/api/past.ts');
  expect(stalePictures(repository)).toEqual([]);
  // Sentences about the route.
  change('packages/shared/src/governor/route.ts');
  expect(stalePictures(repository)).toEqual(['pipeline']);
  recordPictures(repository);
  change('apps/web/src/pages/cost.tsx');
  expect(stalePictures(repository)).toEqual(['cost']);
  change('apps/web/src/features/now/components/tile.module.css');
  expect(stalePictures(repository)).toEqual(['now', 'now-dark', 'cost']);
  recordPictures(repository);
  change('apps/web/src/app/theme.ts');
  expect(stalePictures(repository)).toEqual(Object.keys(pictures));
});

test.each([
  ['# Changelog\n\n## Unreleased\n\n### Added\n\n- Something.\n', false],
  ['# Changelog\n\n## Unreleased\n\n### Added\n\n- Something.\n\n## 0.1.0\n\n- Older.\n', false],
  ['# Changelog\n\n## Unreleased\n\n## 0.1.0\n\n- Something.\n', true],
  ['# Changelog\n\n## 0.1.0\n\n- Something.\n', true],
])('%j: a release: %s', (text, is) => {
  expect(isRelease(text)).toBe(is);
});
