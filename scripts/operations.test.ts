import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { alertCodes } from '@spillway/shared/api/governor';
import { problemCodes } from '@spillway/shared/api/problem';
import { expect, test } from 'vitest';

/** Whoever is woken by a code finds it in docs/operations.md, with what to do about it, and finds none there that does not exist. */
const root = join(import.meta.dirname, '..');
const operations = readFileSync(join(root, 'docs/operations.md'), 'utf8');
const ports = readFileSync(join(root, 'apps/api/src/data-plane/ports.ts'), 'utf8');

const judge = readFileSync(join(root, 'apps/api/src/database-check/judge.ts'), 'utf8');

/** The rows of the table whose first column is headed so: its first cell, bare, and the others. */
function rowsOf(markdown: string, head: string): [string, ...string[]][] {
  const lines = markdown.split('\n');
  const begin = lines.findIndex((line) => line.startsWith(`| ${head} `));
  const table = lines.slice(begin + 2);
  return table
    .slice(
      0,
      table.findIndex((line) => !line.startsWith('|')),
    )
    .map((line) => {
      const cells = line.slice(1, -1).split('|');
      const [first = '', ...others] = cells.map((cell) => cell.trim());
      return [first.replaceAll('`', ''), ...others];
    });
}

const under = (heading: string) => operations.slice(operations.indexOf(`\n${heading}\n`));

test('every alert is explained, with what to do', () => {
  const rows = rowsOf(under('## What a failure looks like'), 'alert');
  expect(rows.map(([code]) => code).toSorted()).toEqual(alertCodes.toSorted());
  for (const [, says, what] of rows)
    expect([says, what]).toEqual([expect.stringMatching(/\w/), expect.stringMatching(/\w/)]);
});

test('every code of sources, streams and store is explained', () => {
  const unions = [...ports.matchAll(/readonly code:((?:\s*\|?\s*'\w+')+);/g)].map(([, union]) => union!);
  const codes = unions.flatMap((union) => [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!));
  expect(codes.length).toBeGreaterThan(10);
  const listed = rowsOf(under('### Codes of sources, streams and store'), 'code').map(([code]) => code);
  // One may be both a source's and a stream's.
  expect(listed.toSorted()).toEqual(
    [...new Set([...codes, 'attempt_failed', 'proof_mismatched'])].toSorted(),
  );
});

test('every code of a start is explained', () => {
  const [, union = ''] = /type DatabaseCode =((?:\s*\|?\s*'\w+')+);/.exec(judge) ?? [];
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code!);
  expect(codes.length).toBeGreaterThan(5);
  const listed = rowsOf(under('### Codes of a start'), 'code').map(([code]) => code);
  expect(listed.toSorted()).toEqual(codes.toSorted());
});

test('every answer of the API is listed with its status', () => {
  const rows = rowsOf(under('### Answers of the API'), 'code');
  expect(Object.fromEntries(rows.map(([code, status]) => [code, Number(status)]))).toEqual(
    Object.fromEntries(Object.entries(problemCodes).map(([code, [status]]) => [code, status])),
  );
});

test('the proxy’s configuration lets the largest body through that the api takes', () => {
  const routes = readFileSync(
    join(root, 'apps/api/src/control-plane/http/routes/worker-protocol.ts'),
    'utf8',
  );
  const [, takenMib] = /statisticsBytes = (\d+) \* 1024 \* 1024/.exec(routes) ?? [];
  const [, proxyMib] = /client_max_body_size (\d+)m;/.exec(under('## TLS and a reverse proxy')) ?? [];
  expect(Number(proxyMib)).toBeGreaterThanOrEqual(Number(takenMib));
});
