/** Bytes that connections move over a network. Those to a socket of this machine, or to its loopback, move none. */
import type { Socket } from 'node:net';

export class Traffic {
  readonly #open = new Set<Socket>();
  #closedBytes = 0;

  /** From its first byte: call it before anything is asked of the connection, or right after it is made. */
  watch(socket: Socket): void {
    if (!crossesNetwork(socket)) return;
    this.#open.add(socket);
    socket.once('close', () => {
      this.#closedBytes += bytesOf(socket);
      this.#open.delete(socket);
    });
  }

  networkBytes(): number {
    return [...this.#open].reduce((sum, socket) => sum + bytesOf(socket), this.#closedBytes);
  }
}

function bytesOf({ bytesRead, bytesWritten }: Pick<Socket, 'bytesRead' | 'bytesWritten'>): number {
  return bytesRead + bytesWritten;
}

/** A Unix socket has no address. */
function crossesNetwork({ remoteAddress }: Pick<Socket, 'remoteAddress'>): boolean {
  return remoteAddress !== undefined && !/^(::ffff:)?127\.|^::1$/.test(remoteAddress);
}
