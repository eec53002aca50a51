import cookie from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import { ProblemError } from '../../problem-error.ts';
import type { App, HttpParts } from '../parts.ts';
import { refuseForgedMutation } from './csrf.ts';

/** `__Host-`: the browser takes it by TLS only, for this host only, for the whole of it. */
export function sessionCookie(request: FastifyRequest): { readonly name: string; readonly secure: boolean } {
  const secure = request.protocol === 'https';
  return { name: secure ? '__Host-spillway_session' : 'spillway_session', secure };
}

/** Decorates requests with their principal. A token wins over a cookie; a bad token is never made good by a cookie. */
export async function authentication(app: App, { directory }: Pick<HttpParts, 'directory'>): Promise<void> {
  await app.register(cookie);
  app.decorateRequest('principal', null);

  async function recognise(request: FastifyRequest): Promise<Principal | null> {
    const authorization = request.headers.authorization;
    if (authorization !== undefined) {
      const [, token] = /^Bearer ([A-Za-z0-9._~+/=-]{16,512})$/i.exec(authorization) ?? [];
      return token === undefined ? null : directory.byToken(token);
    }
    const secret = request.cookies[sessionCookie(request).name];
    return secret === undefined || secret.length > 512 ? null : directory.bySession(secret);
  }

  app.addHook('onRequest', async (request, reply) => {
    if (request.is404 || request.routeOptions.config.access === 'public') return;
    const principal = await recognise(request);
    if (principal === null) {
      reply.header('www-authenticate', 'Bearer');
      throw new ProblemError('unauthenticated', sentenceFor(request));
    }
    refuseForgedMutation(request, principal);
    request.principal = principal;
  });
}

/** Whoever has sent a token need not be told to send one. */
function sentenceFor({ headers }: FastifyRequest): string {
  return headers.authorization === undefined
    ? 'Sign in or send a token'
    : 'The token is none of this installation, has expired or was revoked';
}
