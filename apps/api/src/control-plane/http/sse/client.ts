import type { FastifyReply } from 'fastify';

const maxBufferedBytes = 1024 * 1024;
const stalledAfterMs = 20_000;

/** One open event stream. Written by hand: a client that does not read must cost a bounded buffer and nothing else. */
export interface SseClient {
  /** Drops the client when what it has not taken yet would exceed 1 MiB. */
  send(frame: Buffer): void;
  /** Drops the client when it has taken nothing for 20 s although something waited for it. */
  dropIfStalled(): void;
  close(): void;
}

export function openSse(reply: FastifyReply, onClose: () => void): SseClient {
  const { raw } = reply;
  reply.header('content-type', 'text/event-stream; charset=utf-8');
  // Proxies that buffer would turn a second of telemetry into a minute.
  reply.header('x-accel-buffering', 'no');
  // Nothing follows an ended stream: an idle connection left over would only delay a drain.
  reply.header('connection', 'close');
  const headers = reply.getHeaders();
  reply.hijack();
  raw.writeHead(200, headers as Record<string, string>);
  raw.socket?.setNoDelay(true);
  raw.flushHeaders();

  let blockedSince: number | null = null;
  raw.on('drain', () => {
    blockedSince = null;
  });
  // A reset by the peer is how streams usually end.
  raw.on('error', () => {});
  raw.on('close', onClose);

  return {
    send(frame) {
      if (raw.destroyed || raw.writableEnded) return;
      if (raw.writableLength + frame.length > maxBufferedBytes) {
        raw.destroy();
        return;
      }
      if (!raw.write(frame)) blockedSince ??= performance.now();
    },
    dropIfStalled() {
      if (blockedSince !== null && performance.now() - blockedSince > stalledAfterMs) raw.destroy();
    },
    close() {
      raw.end();
    },
  };
}

export function frameOf(event: string, data: unknown, id?: string): Buffer {
  return Buffer.from(
    `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`,
  );
}
