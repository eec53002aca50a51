/**
 * Which pictures of the docs are older than the screens they show: each is recorded with a hash of what its screen is made of, when it is taken
 * (`pnpm screenshots`). See docs/decisions/0019-pictures.md.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const IMAGES = 'docs/images';
const RECORD = `${IMAGES}/taken-of.json`;
const WEB = 'apps/web/src';
const SHARED = 'packages/shared/src/';
const SHARED_NAME = '@spillway/shared/';
/** Around every screen. */
const FRAME = [`${WEB}/main.tsx`, `${WEB}/app/shell.tsx`, `${WEB}/app/theme.ts`];
/** The router leads to every screen: what it imports is not of one of them. */
const NOT_FOLLOWED = `${WEB}/app/router.tsx`;

/** Pictures by name without `.png`, and the page that each shows. */
export const pictures: Readonly<Record<string, string>> = {
  now: 'now',
  'now-dark': 'now',
  backfill: 'backfill',
  'backfill-dark': 'backfill',
  new: 'new-backfill',
  'new-dark': 'new-backfill',
  pipeline: 'pipeline',
  streams: 'streams',
  backfills: 'backfills',
  cost: 'cost',
  readiness: 'readiness',
  audit: 'audit',
  settings: 'settings',
};

/** Says that the pictures have just been taken, all of them. */
export function recordPictures(repository: string): void {
  const record = Object.fromEntries(
    Object.entries(pictures).map(([name, page]) => [name, hashOfPage(repository, page)]),
  );
  writeFileSync(join(repository, RECORD), `${JSON.stringify(record, null, 2)}\n`);
}

/** The names of those whose screen has changed since, or of which nothing is recorded. */
export function stalePictures(repository: string): string[] {
  const path = join(repository, RECORD);
  const record = existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Record<string, string>) : {};
  return Object.entries(pictures)
    .filter(([name, page]) => record[name] !== hashOfPage(repository, page))
    .map(([name]) => name);
}

/** A release is being made, or has just been: nothing is left under Unreleased. */
export function isRelease(changelog: string): boolean {
  const [, unreleased = ''] = /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m.exec(changelog) ?? [];
  return !/^- /m.test(unreleased);
}

function hashOfPage(repository: string, page: string): string {
  const hash = createHash('sha256');
  for (const path of madeOf(repository, [`${WEB}/pages/${page}.tsx`, ...FRAME]))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(repository, path)))
      .update('\0');
  return hash.digest('hex').slice(0, 16);
}

/** One file of our own that is imported or exported again; what is named behind `type` is taken away when it runs. */
const IMPORTED =
  /(?:(?:import|export)\s+(type\s+)?[^'";]*?from\s*|import\s*\(?\s*)'(\.[^']+|@spillway\/shared\/[^']+)'/g;

/**
 * What these files import, directly and by others, also what is fetched later; in order. Of our shared package what runs in the browser (words, limits, formulas): its
 * types change no screen. Others' packages are not followed: their versions are pinned and seldom show.
 */
export function madeOf(repository: string, entries: readonly string[]): string[] {
  const found = new Set<string>();
  const visit = (path: string) => {
    if (found.has(path) || path === NOT_FOLLOWED) return;
    found.add(path);
    if (path.endsWith('.css')) return;
    const text = readFileSync(join(repository, path), 'utf8');
    for (const [, type, name = ''] of text.matchAll(IMPORTED)) {
      const shared = name.startsWith(SHARED_NAME);
      if (type !== undefined && (shared || path.startsWith(SHARED))) continue;
      visit(
        shared
          ? `${SHARED}${name.slice(SHARED_NAME.length)}.ts`
          : relative(repository, join(repository, dirname(path), name)),
      );
    }
  };
  for (const entry of entries) visit(entry);
  return [...found].sort();
}
