import { timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import type { Principal } from '../../access/principal.ts';
import { ProblemError } from '../../problem-error.ts';

const csrfHeader = 'x-spillway-csrf';
const reading = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * A browser sends the session's cookie with any request, whoever made it send it. So a mutation with a cookie must come from a page
 * of ours (exact `Origin`) that could read the session's CSRF token (header). Tokens need neither: no browser adds one by itself.
 */
export function refuseForgedMutation(request: FastifyRequest, principal: Principal): void {
  if (principal.csrfToken === null || reading.has(request.method)) return;
  if (request.headers.origin === undefined)
    throw new ProblemError('csrf_rejected', 'A mutation with the session cookie needs an Origin', {
      pointer: 'origin',
    });
  refuseForeignOrigin(request);
  const sent = request.headers[csrfHeader];
  if (typeof sent !== 'string' || !sameText(sent, principal.csrfToken)) {
    throw new ProblemError('csrf_rejected', `Send the session's csrfToken in ${csrfHeader}`, {
      pointer: csrfHeader,
    });
  }
}

/** `Host` has been checked before, so its own origin is ours. Requests without an `Origin` do not come from a page. */
export function refuseForeignOrigin(request: FastifyRequest): void {
  const origin = request.headers.origin;
  if (origin !== undefined && origin !== `${request.protocol}://${request.headers.host}`) {
    throw new ProblemError('csrf_rejected', 'This origin may not change anything here', {
      pointer: 'origin',
    });
  }
}

function sameText(left: string, right: string): boolean {
  const a = Buffer.from(left);
  const b = Buffer.from(right);
  return a.length === b.length && timingSafeEqual(a, b);
}
