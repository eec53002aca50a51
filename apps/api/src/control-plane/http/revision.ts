import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../problem-error.ts';

/** The ETag is the revision: it changes with limits and commands, not with progress, so it never serves for 304. */
export function withEtag<T extends { readonly revision: number }>(reply: FastifyReply, resource: T): T {
  reply.header('etag', `"${resource.revision}"`);
  return resource;
}

/** Errors: `precondition_required` without `If-Match`, `invalid_request` when it is no ETag of ours. */
export function revisionOf(request: FastifyRequest): number {
  const header = request.headers['if-match'];
  if (header === undefined)
    throw new ProblemError('precondition_required', 'Send If-Match with the ETag you read', {
      pointer: 'if-match',
    });
  const [, revision] = /^"?(\d{1,9})"?$/.exec(header) ?? [];
  if (revision === undefined)
    throw new ProblemError('invalid_request', 'If-Match takes one ETag as it was read', {
      pointer: 'if-match',
    });
  return Number(revision);
}
