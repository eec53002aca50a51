import type { FastifyRequest } from 'fastify';
import { accessLevels, actorOf, mayAccess, type Principal } from '../../access/principal.ts';
import type { Actor } from '../../context.ts';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';

/** Deny by default: a route that does not say who may call it cannot be registered. Comes after authentication. */
export function rights(app: App): void {
  app.decorate('listedRoutes', []);
  app.addHook('onRoute', (route) => {
    const access = route.config?.access;
    if (access === undefined || !accessLevels.includes(access)) {
      throw new Error(
        `Route ${String(route.method)} ${route.url} does not say who may call it (config.access)`,
      );
    }
    for (const method of [route.method].flat()) app.listedRoutes.push({ method, url: route.url, access });
  });
  app.addHook('onRequest', async (request) => {
    if (request.is404) return;
    const access = request.routeOptions.config.access;
    if (access === 'public') return;
    if (access === undefined || request.principal === null || !mayAccess(request.principal.role, access)) {
      throw new ProblemError('forbidden', `This needs the role ${access}`);
    }
  });
}

/** On routes that are not public. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal === null) throw new ProblemError('unauthenticated', 'Sign in or send a token');
  return request.principal;
}

export function callerOf(request: FastifyRequest): Actor {
  return actorOf(principalOf(request), request.ip);
}
