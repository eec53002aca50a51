import type { Socket } from 'node:net';

class SilenceError extends Error {
  readonly code = 'ETIMEDOUT';
}

/**
 * Ends a connection over which nothing has come or gone for the socket's timeout. What came while this process itself stood still lies there and
 * is read first.
 */
export function endWhenSilent(socket: Socket): void {
  socket.on('timeout', () => {
    const readBytes = socket.bytesRead;
    setImmediate(() => {
      if (socket.bytesRead === readBytes)
        socket.destroy(new SilenceError('The database has not answered in time'));
    });
  });
}
