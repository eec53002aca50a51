/**
 * One connection to a server, made again when it is lost.
 *
 * **What is under way when it is lost** may or may not have been done, and the server cannot be asked. So everything that is run here can be
 * run twice: an append carries a token under which the server remembers its answer (scripts.ts), an acknowledgement never moves
 * backwards, and the rest sets or reads. It is run again on the next connection until it is answered or its patience is over; then
 * the caller is told `stream_unavailable`, and nothing of it is sent any more.
 *
 * A connection is thrown away as a whole, with all that waits on it: no answer can reach the wrong question.
 */
import { isIP } from 'node:net';
import { Redis } from 'iovalkey';
import { pause } from '../../data-plane/pause.ts';
import { StreamError } from '../../data-plane/ports.ts';
import type { RedisAddress } from './address.ts';
import { translated } from './translate.ts';

/** Long enough for a server that is started again, short enough for who holds a lease. */
const PATIENCE_MS = 5_000;
const CONNECT_MS = 3_000;
/** A server that owes an answer for this long is taken for cut off. Above the longest wait of a blocking read. */
const SILENCE_MS = 3_000;
const KEEP_ALIVE_MS = 10_000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;
/** A server reads its data in before it answers; it is asked this often. */
const LOADING_LOOK_MS = 100;

const NEVER = new AbortController().signal;

export class Link {
  readonly #address: RedisAddress;
  readonly #prove: (redis: Redis) => Promise<void>;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();
  #opening: Promise<Redis> | null = null;

  constructor(
    address: RedisAddress,
    options: {
      /** Looks at a server before anything is asked of it, on every new connection. */
      readonly prove?: (redis: Redis) => Promise<void>;
      /** How long a command is tried again. */
      readonly patienceMs?: number | undefined;
    } = {},
  ) {
    this.#address = address;
    this.#prove = options.prove ?? (async () => undefined);
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Whatever `command` answers; it may be called several times. Once the signal aborts it is not called again.
   * Errors: {@link StreamError}.
   */
  async run<Answer>(
    command: (redis: Redis) => Promise<Answer>,
    { patienceMs = this.#patienceMs, signal = NEVER }: { patienceMs?: number; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const untilMs = performance.now() + patienceMs;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      if (this.closed) throw new StreamError('stream_unavailable', 'the stream is closed');
      const opening = this.#opened();
      try {
        return await command(await opening);
      } catch (error) {
        const failure = translated(error, this.#address);
        const mayPass = failure instanceof StreamError && failure.code === 'stream_unavailable';
        if (mayPass) this.#forget(opening);
        if (!mayPass || this.closed || signal.aborted || performance.now() + retryMs >= untilMs)
          throw failure;
        // Many lose a server at the same moment; they need not come back at the same moment.
        await pause(retryMs * (0.5 + Math.random() / 2), AbortSignal.any([signal, this.#closing.signal]));
      }
    }
  }

  /** Ends what waits on the connection now. The next command makes another. */
  drop(): void {
    if (this.#opening !== null) this.#forget(this.#opening);
  }

  close(): void {
    this.#closing.abort();
    this.drop();
  }

  #opened(): Promise<Redis> {
    if (this.#opening !== null) return this.#opening;
    const opening = this.#connect();
    this.#opening = opening;
    // One that was refused is not kept: the user may be let in, or the setting changed, a moment later.
    opening.catch(() => this.#forget(opening));
    return opening;
  }

  #forget(opening: Promise<Redis>): void {
    if (this.#opening === opening) this.#opening = null;
    opening.then(
      (redis) => redis.disconnect(),
      () => undefined,
    );
  }

  async #connect(): Promise<Redis> {
    const { host, port, username, password, database, tls } = this.#address;
    const redis = new Redis({
      host,
      port,
      ...(username === null ? {} : { username }),
      ...(password === null ? {} : { password }),
      // An address is no server's name (RFC 6066): its certificate is checked against the host.
      ...(tls ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
      family: 0,
      lazyConnect: true,
      connectTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      keepAlive: KEEP_ALIVE_MS,
      maxLoadingRetryTime: LOADING_LOOK_MS,
      // One connection, one life; and what waits when it ends is told so at once.
      retryStrategy: () => null,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
    });
    // What a connection ended with is told to nobody but here; what follows the first word is of the client's own making.
    let ended: Error | null = null;
    redis.on('error', (error: Error) => void (ended ??= error));
    const late = setTimeout(() => {
      ended ??= new Error(`no answer for ${CONNECT_MS} ms`);
      redis.disconnect();
    }, CONNECT_MS);
    const closing = (): void => redis.disconnect();
    this.#closing.signal.addEventListener('abort', closing);
    let ready = false;
    try {
      await redis.connect();
      ready = true;
      // Where nobody needs credentials wrong ones are refused, and the client takes the connection that it has given up for ready.
      if (ended !== null) throw ended;
      // Asked for here: the client takes a refusal for a warning, and goes on in database 0.
      if (database !== 0) await redis.select(database);
      await this.#prove(redis);
      return redis;
    } catch (error) {
      redis.disconnect();
      const isOurs = ready || this.#closing.signal.aborted;
      throw isOurs ? (ended ?? error) : unheard(ended ?? error);
    } finally {
      clearTimeout(late);
      this.#closing.signal.removeEventListener('abort', closing);
    }
  }
}

/** Of a connection that ended before it was ready, it is said that it was so. */
function unheard(error: unknown): unknown {
  const isLost = error instanceof Error && /ECONNRESET|EPIPE|^Connection is closed/.test(error.message);
  return isLost ? new Error(`at once: ${error.message}`) : error;
}
