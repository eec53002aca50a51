import { type Problem, type ProblemCode, problemCodes } from '@spillway/shared/api/problem';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';
import { isUnreachable } from './unreachable.ts';

/** Every error leaves as RFC 9457 `application/problem+json`. What is not a {@link ProblemError} says nothing of its inside. */
export function problems(app: App): void {
  app.decorateReply('problemCode', null);
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const problem = asProblem(error);
    if (problem.code === 'internal_error') request.log.error({ err: error }, 'a request failed');
    else if (problem.code === 'unavailable')
      request.log.warn({ err: error }, 'a request could not be answered');
    return sendProblem(request, reply, problem);
  });
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (request, reply) =>
    sendProblem(
      request,
      reply,
      new ProblemError('not_found', `There is no ${request.method} ${request.url.split('?', 1)[0]}`),
    ),
  );
}

/** What fails before there is a route (a path that cannot be decoded), in the same form. */
export function refuseBrokenRequests(
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): void {
  sendProblem(request, reply, asProblem(error));
}

function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: ProblemError): FastifyReply {
  reply.problemCode = problem.code;
  if (problem.code === 'unavailable') reply.header('retry-after', '1');
  // A missing file has been given the headers of a found one.
  reply.header('cache-control', 'no-store');
  return reply
    .code(problem.status)
    .type('application/problem+json; charset=utf-8')
    .send(JSON.stringify(problemDocument(problem, request.id)));
}

export function problemDocument(problem: ProblemError, requestId: string): Problem {
  const [status, title] = problemCodes[problem.code];
  return {
    type: `urn:spillway:problem:${problem.code}`,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    errors: problem.errors,
    requestId,
    ...problem.extra,
  };
}

const ofFastify: Readonly<Record<string, readonly [ProblemCode, string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['payload_too_large', 'The body is larger than this route takes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['unsupported_media_type', 'Send application/json'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed_json', 'The body is empty'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['malformed_json', 'The body is not JSON'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['invalid_request', 'The body does not have the length it says'],
  FST_ERR_BAD_URL: ['invalid_request', 'The path cannot be read'],
  FST_ERR_MAX_PARAM_LENGTH: ['not_found', 'There is no such resource'],
  FST_UNDER_PRESSURE: ['unavailable', 'Too much is asked at this moment'],
};

function asProblem(error: FastifyError | Error): ProblemError {
  if (error instanceof ProblemError) return error;
  const known = 'code' in error && typeof error.code === 'string' ? ofFastify[error.code] : undefined;
  if (known !== undefined) return new ProblemError(known[0], known[1], { cause: error });
  if ('statusCode' in error && error.statusCode === 429)
    return new ProblemError('rate_limited', error.message, { cause: error });
  if (isUnreachable(error))
    return new ProblemError('unavailable', 'A database this answer needs is not reachable', { cause: error });
  // A file that may not be seen: whether there is one is nobody's business.
  if ('statusCode' in error && (error.statusCode === 403 || error.statusCode === 404))
    return new ProblemError('not_found', 'There is no such resource', { cause: error });
  if ('statusCode' in error && error.statusCode === 400)
    return new ProblemError('invalid_request', 'The request cannot be read', { cause: error });
  return new ProblemError('internal_error', 'Something failed here; the request id finds it in the log', {
    cause: error,
  });
}
