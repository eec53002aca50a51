/** The control room as it is served: one document for every page, a nonce in each answer, nothing outside its folder. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ControlApp, startControlApp } from '../fixtures/control-app.ts';

let directory: string;
let control: ControlApp;
const script = 'export const answer = 42;\n'.repeat(200);

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-web-'));
  const web = join(directory, 'dist');
  mkdirSync(join(web, 'assets'), { recursive: true });
  writeFileSync(join(directory, 'secret.txt'), 'not for anyone');
  writeFileSync(
    join(web, 'index.html'),
    '<!doctype html><html><head><title>Room</title></head><body></body></html>',
  );
  writeFileSync(join(web, 'assets', 'app-1234.js'), 'export {};');
  writeFileSync(join(web, '.env'), 'not for anyone either');
  writeFileSync(join(web, 'assets', 'big-1234.js'), script);
  writeFileSync(join(web, 'assets', 'big-1234.js.br'), brotliCompressSync(script));
  writeFileSync(join(web, 'assets', 'big-1234.js.gz'), gzipSync(script));
  // No page and no file needs the database: nothing listens at this address.
  control = await startControlApp('postgres://nobody@127.0.0.1:1/none', { webDirectory: web });
});
afterAll(async () => {
  await control?.close();
  rmSync(directory, { recursive: true, force: true });
});

test.each(['/', '/index.html', '/backfills', '/backfills/bf_1'])(
  '%s is the document, with the nonce of its answer',
  async (url) => {
    const [first, second] = [await control.ask(null, 'GET', url), await control.ask(null, 'GET', url)];
    expect(first.statusCode).toBe(200);
    expect(first.headers['cache-control']).toBe('no-store');
    const nonces = [first, second].map((answer) => {
      const nonce = /<meta name="csp-nonce" content="([^"]+)">/.exec(answer.body)?.[1] ?? 'none';
      expect(String(answer.headers['content-security-policy'])).toContain(`'nonce-${nonce}'`);
      return nonce;
    });
    expect(nonces[0]).not.toBe(nonces[1]);
  },
);

test.each([
  { url: '/', cookie: 'spillway_session=of-somebody', asked: true },
  { url: '/backfills/bf_1', cookie: 'theme=dark; spillway_session=of-somebody', asked: true },
  { url: '/', cookie: 'theme=dark', asked: false },
  { url: '/sign-in?next=/', cookie: 'spillway_session=of-somebody', asked: false },
])('$url with $cookie: what the page will ask first is named in its headers: $asked', async (each) => {
  const { headers } = await control.ask(null, 'GET', each.url, { headers: { cookie: each.cookie } });
  expect(headers['link']).toBe(
    each.asked
      ? '</v1/session>; rel=preload; as=fetch; crossorigin=anonymous, </v1/pipelines?limit=200>; rel=preload; as=fetch; crossorigin=anonymous'
      : undefined,
  );
});

test('assets are files, kept for good; one that does not exist is a problem', async () => {
  const asset = await control.ask(null, 'GET', '/assets/app-1234.js');
  expect(asset.statusCode).toBe(200);
  expect(asset.headers['content-type']).toContain('javascript');
  expect(asset.headers['cache-control']).toContain('immutable');
  const missing = await control.ask(null, 'GET', '/assets/app-5678.js');
  expect(missing.statusCode).toBe(404);
  expect(missing.headers['cache-control']).toBe('no-store');
  expect(missing.json().code).toBe('not_found');
});

test.each([
  ['br', 'gzip, deflate, br, zstd', brotliDecompressSync],
  ['gzip', 'gzip', gunzipSync],
  [undefined, 'identity', (bytes: Buffer) => bytes],
])('a compressed asset goes out as %s to whoever accepts "%s"', async (encoding, accepted, unpack) => {
  const asset = await control.app.inject({
    url: '/assets/big-1234.js',
    headers: { host: '127.0.0.1', 'accept-encoding': accepted },
  });
  expect(asset.statusCode).toBe(200);
  expect(asset.headers['content-encoding']).toBe(encoding);
  expect(asset.headers['content-type']).toContain('javascript');
  expect(asset.headers['cache-control']).toContain('immutable');
  expect(asset.headers['vary']).toMatch(/accept-encoding/i);
  expect(unpack(asset.rawPayload).toString()).toBe(script);
});

test('a hidden file is no more there than one that does not exist', async () => {
  const answer = await control.ask(null, 'GET', '/.env');
  expect(answer.statusCode).toBe(404);
  expect(answer.json().code).toBe('not_found');
});

test.each([
  '/../secret.txt',
  '/%2e%2e/secret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/assets/%2e%2e/%2e%2e/secret.txt',
  '/..%5csecret.txt',
])('%s leads nowhere', async (url) => {
  const answer = await control.ask(null, 'GET', url);
  expect(answer.body).not.toContain('not for anyone');
});

test('an unknown path of the API is a problem, not the document', async () => {
  const answer = await control.ask(null, 'GET', '/v1/nothing');
  expect(answer.statusCode).toBe(404);
  expect(answer.headers['content-type']).toContain('application/problem+json');
});
