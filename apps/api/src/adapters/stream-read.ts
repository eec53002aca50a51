import type { StreamConsumer } from '../data-plane/ports.ts';

type Read = StreamConsumer['read'];

/**
 * A read over a connection of its own: an abort drops that connection, as what waits on a server cannot be called back. Who aborts a read, or
 * closes the stream under it, is given nothing, and no error of what was cut off.
 */
export function abortableRead(
  read: Read,
  { stream, reading }: { readonly stream: { readonly closed: boolean }; readonly reading: { drop(): void } },
): Read {
  return async (request) => {
    const { signal } = request;
    if (signal.aborted) return [];
    const drop = (): void => reading.drop();
    signal.addEventListener('abort', drop);
    const wasClosed = stream.closed;
    try {
      return await read(request);
    } catch (error) {
      if (signal.aborted || (stream.closed && !wasClosed)) return [];
      throw error;
    } finally {
      signal.removeEventListener('abort', drop);
    }
  };
}
