import rateLimit from '@fastify/rate-limit';
import underPressure from '@fastify/under-pressure';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';

/** Twice what every token is promised. */
const perTokenPerSecond = 400;
/** All workers of an installation share one token, and each ticks four times a second. */
const perWorkerTokenPerSecond = 5_000;

/** One bucket per token or session, so that whoever exhausts theirs takes nothing from the others; strangers share one per address. */
export async function rateLimits(app: App): Promise<void> {
  await app.register(rateLimit, {
    global: true,
    hook: 'onRequest',
    timeWindow: 1_000,
    cache: 10_000,
    keyGenerator: (request) => request.principal?.key ?? `address:${request.ip}`,
    max: (request) => (request.principal?.role === 'worker' ? perWorkerTokenPerSecond : perTokenPerSecond),
    addHeaders: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
      'retry-after': true,
    },
    addHeadersOnExceeding: {
      'x-ratelimit-limit': false,
      'x-ratelimit-remaining': false,
      'x-ratelimit-reset': false,
    },
    errorResponseBuilder: (_request, limit) =>
      new ProblemError('rate_limited', `More than ${limit.max} requests in a second`),
  });
}

const maxEventLoopDelayMs = 2_000;

/** When the event loop is late, people wait so that workers and their leases need not. */
export async function pressureValve(app: App, maxEventLoopDelay = maxEventLoopDelayMs): Promise<void> {
  await app.register(underPressure, {
    maxEventLoopDelay,
    sampleInterval: 500,
    pressureHandler: (request, _reply, _type, delayMs) => {
      // The plugin calls a sample of nothing infinite; a busy machine has such samples, and an operator's pause must not fail on one.
      if (!Number.isFinite(delayMs)) return;
      const { access } = request.routeOptions.config;
      if (access !== 'worker' && access !== 'public')
        throw new ProblemError('unavailable', 'Too much is asked at this moment');
    },
  });
}
