import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyHttpOptions } from 'fastify';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';
import { problemDocument } from './problem.ts';

/** Bounds of one connection. Bodies: 256 KiB, more where a route says so. */
export const connectionLimits = {
  bodyLimit: 256 * 1024,
  /** For the whole request to arrive, so that nobody holds a connection by dripping bytes. */
  requestTimeout: 30_000,
  keepAliveTimeout: 72_000,
  routerOptions: { maxParamLength: 100 },
  http: { maxHeaderSize: 16 * 1024, headersTimeout: 15_000 },
  forceCloseConnections: 'idle',
} as const satisfies FastifyHttpOptions<Server>;

const closeLimitMs = 3_000;

/** Requests under way may finish when the app closes; whoever takes longer is cut off. */
export function boundedClose(app: App): void {
  app.addHook('preClose', async () => {
    setTimeout(() => app.server.closeAllConnections(), closeLimitMs).unref();
  });
}

/** What is not even HTTP has no request and no reply: the answer is written on the socket. */
export function refuseBrokenConnections(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const problem =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? new ProblemError('headers_too_large', 'The headers are larger than 16 KiB')
      : new ProblemError('invalid_request', 'This is not a request that can be read');
  const body = JSON.stringify(problemDocument(problem, randomUUID()));
  socket.end(
    `HTTP/1.1 ${problem.status} ${problem.status === 431 ? 'Request Header Fields Too Large' : 'Bad Request'}\r\n` +
      `content-type: application/problem+json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
