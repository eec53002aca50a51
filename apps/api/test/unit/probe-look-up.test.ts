/** Dead name servers: a look-up cannot be called off, so there are never more than two, and nobody waits longer than they may. */
import { beforeEach, expect, test, vi } from 'vitest';
import { readHttpJson } from '../../src/control-plane/probes/http-json.ts';
import { readSql } from '../../src/control-plane/probes/sql.ts';

const asked: string[] = [];
const servers = new Map<string, (error: Error) => void>();
vi.mock('node:dns/promises', () => ({
  lookup: (host: string) => {
    asked.push(host);
    return new Promise((_, reject) => servers.set(host, reject));
  },
}));
const unknown = () => Object.assign(new Error('getaddrinfo'), { code: 'ENOTFOUND' });

beforeEach(async () => {
  while (servers.size > 0) await giveUp([...servers.keys()]);
  asked.length = 0;
});

/** The name servers of these are given up at last. */
async function giveUp(names: readonly string[]): Promise<void> {
  for (const name of names) {
    servers.get(name)?.(unknown());
    servers.delete(name);
  }
  await settled();
}

const settled = () => new Promise((done) => setImmediate(done));

/** A probe that may wait until it is told otherwise; `outcome` is what became of it. */
function attempt(name: string) {
  const abort = new AbortController();
  const http = () => readHttpJson({ url: `http://${name}/`, pointer: '/n' }, abort.signal);
  const sql = () =>
    readSql({ url: `postgres://a@${name}/x`, query: 'select 1', timeoutMs: 1_000 }, abort.signal);
  const one = { outcome: 'waits', timeOut: () => abort.abort(new Error('no answer in time')) };
  (name.startsWith('db') ? sql : http)().catch((error: Error) => {
    one.outcome = error.message;
  });
  return one;
}

test('two at once; who waits has the next free place, in turn', async () => {
  const all = ['a.test', 'db-b.test', 'c.test', 'db-d.test', 'e.test'].map(attempt);
  await settled();
  expect(asked).toEqual(['a.test', 'db-b.test']);
  await giveUp(['a.test']);
  expect(asked).toEqual(['a.test', 'db-b.test', 'c.test']);
  await giveUp(['db-b.test']);
  expect(asked.at(-1)).toBe('db-d.test');
  await giveUp(['c.test', 'db-d.test']);
  await giveUp(['e.test']);
  expect(asked).toHaveLength(5);
  expect(all.map(({ outcome }) => outcome)).not.toContain('waits');
});

test('one that is given up leaves at once, wherever it waits; its place is free when the look-up has ended', async () => {
  const [first, second, third, fourth] = ['a.test', 'b.test', 'c.test', 'd.test'].map(attempt);
  await settled();
  first?.timeOut();
  third?.timeOut();
  await settled();
  expect([first, second, third, fourth].map((one) => one?.outcome)).toEqual([
    'no answer in time',
    'waits',
    'no answer in time',
    'waits',
  ]);
  // The thread of the first is still busy, and nobody looks for the third any more.
  expect(asked).toEqual(['a.test', 'b.test']);
  await giveUp(['a.test']);
  expect(asked).toEqual(['a.test', 'b.test', 'd.test']);
});
