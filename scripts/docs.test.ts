import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

/** Docs that point nowhere are worse than none: links, headings and commands must exist. */
const root = join(import.meta.dirname, '..');
const documents = globSync(['*.md', 'docs/**/*.md', 'deploy/**/*.md'], { cwd: root }).sort();

const packages = globSync(['package.json', 'apps/*/package.json', 'packages/*/package.json'], { cwd: root });
const scripts = new Set(packages.flatMap((path) => Object.keys(JSON.parse(read(path)).scripts ?? {})));
const pnpmVerbs = new Set(['install', 'add', 'remove', 'exec', 'run', 'why', 'dlx']);

function read(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*`/g, '');
}

/** Anchors as forges make them: lower case, no punctuation, hyphens for spaces. */
function anchorsOf(markdown: string): Set<string> {
  const headings = markdown.replace(/^```[\s\S]*?^```/gm, '').matchAll(/^#{1,6} +(.+?) *#*$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

function deadLinks(path: string, markdown: string): string[] {
  const links = [...withoutCode(markdown).matchAll(/\]\(([^)\s]+)[^)]*\)|(?:href|src)="([^"]+)"/g)];
  return links
    .map((match) => match[1] ?? match[2]!)
    .filter((link) => !/^[a-z]+:/i.test(link))
    .filter((link) => {
      const [file, anchor] = link.split('#', 2) as [string, string?];
      const target = file === '' ? path : relative(root, join(root, dirname(path), decodeURI(file)));
      if (target !== path && !existsSync(join(root, target))) return true;
      if (anchor === undefined || !target.endsWith('.md')) return false;
      return !anchorsOf(target === path ? markdown : read(target)).has(anchor);
    });
}

function unknownCommands(markdown: string): string[] {
  const commands = [
    ...markdown.matchAll(/\bpnpm(?:@\d[\w.]*)? +(?:run +|(?:--filter|-F) +\S+ +)*([a-z][\w:-]*)/g),
  ];
  const inCode = commands.filter(({ index }) => isCode(markdown, index));
  return inCode.map(([, verb]) => verb!).filter((verb) => !scripts.has(verb) && !pnpmVerbs.has(verb));
}

/** Inside a fence or between two backticks of its line: prose such as "pnpm is" names no command. */
function isCode(markdown: string, index: number): boolean {
  const before = markdown.slice(0, index);
  if ((before.match(/^```/gm)?.length ?? 0) % 2 === 1) return true;
  return (before.slice(before.lastIndexOf('\n') + 1).match(/`/g)?.length ?? 0) % 2 === 1;
}

test('the documents every repository needs are there', () => {
  expect(documents).toEqual(expect.arrayContaining(['CHANGELOG.md', 'CONTRIBUTING.md', 'README.md']));
});

test.each(documents)('%s: every relative link leads somewhere', (path) => {
  expect(deadLinks(path, read(path))).toEqual([]);
});

test.each(documents)('%s: every pnpm command is a script', (path) => {
  expect(unknownCommands(read(path))).toEqual([]);
});

test('a dead link, a dead heading and an unknown command are found', () => {
  const text =
    '[a](absent.md) [b](#nowhere) [c](README.md) [d](#here) [e](scheme:x)\n\n# Here\n\nRun `pnpm levitate`.';
  expect(deadLinks('planted.md', text)).toEqual(['absent.md', '#nowhere']);
  expect(unknownCommands(text)).toEqual(['levitate']);
  expect(unknownCommands('Use `npx -y pnpm@10 start`; pnpm is the package manager.')).toEqual([]);
});

test('the consumer that is shown as an example is short, and knows nothing of Spillway', () => {
  const example = read('examples/count-by-airport.mjs');
  expect(example.trimEnd().split('\n').length).toBeLessThan(40);
  expect(example).not.toMatch(/spillway/i);
});
