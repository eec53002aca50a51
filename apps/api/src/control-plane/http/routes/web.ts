import { existsSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import { firstAsked } from '@spillway/shared/api/first-asked';
import { ProblemError } from '../../problem-error.ts';
import type { App, HttpSettings } from '../parts.ts';
import { sessionCookie } from '../plugins/authentication.ts';
import { pagePolicy } from '../plugins/security-headers.ts';

const notBuilt =
  '<!doctype html><html lang="en"><head><title>Spillway</title></head><body><p>The control room has not been built yet.</p></body></html>';

/** For a browser: to be fetched as the script of the page will fetch it, which then finds it there. */
const preloads = Object.values(firstAsked)
  .map((path) => `<${path}>; rel=preload; as=fetch; crossorigin=anonymous`)
  .join(', ');

/** The control room. Its pages live in one document, so every path that is no file and no API is that document. */
export async function webRoutes(
  app: App,
  { webDirectory }: Pick<HttpSettings, 'webDirectory'>,
): Promise<void> {
  const root = webDirectory ?? '';
  const present = webDirectory !== null && existsSync(webDirectory);
  if (present)
    await app.register(fastifyStatic, {
      root,
      serve: false,
      cacheControl: false,
      dotfiles: 'deny',
      // The build has put `.br` and `.gz` beside each asset.
      preCompressed: true,
    });
  const page = createPage(join(root, 'index.html'));

  app.get('/*', { config: { access: 'public' }, schema: { hide: true } }, async (request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '/';
    if (path.startsWith('/v1/') || path === '/v1')
      throw new ProblemError('not_found', `There is no GET ${path}`);
    if (/\.[a-z0-9]+$/i.test(path) && path !== '/index.html') {
      if (!present) throw new ProblemError('not_found', `There is no file ${path}`);
      // File names of assets carry a hash of their content.
      reply.header(
        'cache-control',
        path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
      return reply.sendFile(path.slice(1));
    }
    reply
      .header('content-security-policy', pagePolicy(request.styleNonce))
      .header('cache-control', 'no-store')
      .type('text/html; charset=utf-8');
    // Of no use to whoever has to sign in first.
    if (request.cookies[sessionCookie(request).name] !== undefined && path !== '/sign-in')
      reply.header('link', preloads);
    return (
      (await page.read())?.replace(
        '<head>',
        `<head><meta name="csp-nonce" content="${request.styleNonce}">`,
      ) ?? notBuilt
    );
  });
}

/** Kept in memory until the file changes: a rebuilt control room is served without a restart. */
function createPage(path: string): { read(): Promise<string | null> } {
  let kept: { text: string; changedAtMs: number } | null = null;
  return {
    async read() {
      const changedAtMs = await stat(path).then(
        (found) => found.mtimeMs,
        () => null,
      );
      if (changedAtMs === null) return null;
      if (kept?.changedAtMs !== changedAtMs) kept = { text: await readFile(path, 'utf8'), changedAtMs };
      return kept.text;
    },
  };
}
