import { randomBytes } from 'node:crypto';
import helmet from '@fastify/helmet';
import type { App, HttpSettings } from '../parts.ts';

/** For pages. Scripts come from our own files only; style tags carry the nonce of their answer; nobody may frame us. */
export function pagePolicy(styleNonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${styleNonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

/** For everything that is not a page: it may load nothing. */
const answerPolicy = "default-src 'none'; frame-ancestors 'none'";

export async function securityHeaders(
  app: App,
  { trustedProxies }: Pick<HttpSettings, 'trustedProxies'>,
): Promise<void> {
  await app.register(helmet, {
    contentSecurityPolicy: false,
    frameguard: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    strictTransportSecurity: trustedProxies.length > 0,
  });
  app.decorateRequest('styleNonce', '');
  app.addHook('onRequest', async (request, reply) => {
    request.styleNonce = randomBytes(16).toString('base64');
    reply.header('content-security-policy', answerPolicy);
    reply.header('cache-control', 'no-store');
    reply.header('x-request-id', request.id);
  });
}
