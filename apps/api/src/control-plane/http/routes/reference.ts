import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import Fastify from 'fastify';
import type { App } from '../parts.ts';

const scriptPath = '/docs/reference.js';

/**
 * For Scalar's page alone: it adds style tags and attributes of its own, some of which no nonce reaches. The page shows nothing that a
 * user has written. Scripts stay our own, without inline script and `eval`, as everywhere.
 */
const referencePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Nothing is fetched from elsewhere, nothing is sent elsewhere. */
const configuration = JSON.stringify({
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
}).replaceAll('"', '&quot;');

export function referenceRoutes(app: App): void {
  app.get(
    '/openapi.json',
    { config: { access: 'viewer' }, schema: { tags: ['health'], summary: 'OpenAPI 3.1' } },
    async () => app.swagger(),
  );

  app.get('/docs', { config: { access: 'viewer' }, schema: { hide: true } }, async (_request, reply) => {
    reply.header('content-security-policy', referencePolicy).type('text/html; charset=utf-8');
    return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Spillway API</title>
</head>
<body>
<script id="api-reference" type="application/json" data-configuration="${configuration}"></script>
<script src="${scriptPath}"></script>
</body>
</html>`;
  });

  app.get(scriptPath, { config: { access: 'viewer' }, schema: { hide: true } }, async (_request, reply) =>
    reply
      .headers({
        'content-type': 'text/javascript; charset=utf-8',
        'content-encoding': 'gzip',
        'cache-control': 'private, max-age=3600',
      })
      .send(await scalarScript()),
  );
}

let script: Promise<Buffer> | null = null;

/** Several megabytes that few ask for: read at the first request. The package gives its script to nobody but its own plugin. */
function scalarScript(): Promise<Buffer> {
  script ??= readScalarScript();
  return script;
}

async function readScalarScript(): Promise<Buffer> {
  const { default: scalar } = await import('@scalar/fastify-api-reference');
  const shelf = Fastify();
  await shelf.register(scalar, { routePrefix: '/docs', configuration: { content: '{}' } });
  const answer = await shelf.inject('/docs/js/scalar.js');
  await shelf.close();
  if (answer.statusCode !== 200) throw new Error('The API reference has no script');
  return promisify(gzip)(answer.rawPayload);
}
