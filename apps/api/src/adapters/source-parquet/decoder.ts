/**
 * Owns the decode thread: one request at a time, in order. The thread is started by the first request and ends after
 * `idleMs` without one, because its heap is memory that a feed at 100 events/s needs for 0.1 s in three quarters of an hour.
 * A thread that dies, runs out of its memory or does not answer in time fails the one request it had; the next starts another.
 */
import { Worker } from 'node:worker_threads';
import { SourceError } from '../../data-plane/ports.ts';
import type { ObjectPlace, OpenObject } from '../source-objects/objects.ts';
import type {
  DecodeRequest,
  DecodeResults,
  DecodeThreadData,
  FromThread,
  ToThread,
} from './decode-protocol.ts';

const idleMs = 2_000;

export interface DecoderLimits {
  /** A row group that is not decoded by then is given up; what reading its bytes takes does not count. */
  readonly answerMs: number;
  /** The thread's JavaScript heap; a row group of four million rows fits the default. */
  readonly heapMiB: number;
}

const usualLimits: DecoderLimits = { answerMs: 60_000, heapMiB: 512 };

interface Waiting {
  readonly request: DecodeRequest;
  readonly resolve: (result: never) => void;
  readonly reject: (error: Error) => void;
}

export class Decoder {
  readonly #place: ObjectPlace;
  readonly #data: DecodeThreadData;
  readonly #limits: DecoderLimits;
  readonly #queue: Waiting[] = [];
  #thread: Worker | null = null;
  #current: (Waiting & { readonly open: Promise<OpenObject> }) | null = null;
  /** Ends the thread when it is idle, or when it is overdue. */
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(place: ObjectPlace, data: DecodeThreadData, limits = usualLimits) {
    this.#place = place;
    this.#data = data;
    this.#limits = limits;
  }

  ask<K extends keyof DecodeResults>(
    request: DecodeRequest & { readonly kind: K },
  ): Promise<DecodeResults[K]> {
    if (this.#closed) return Promise.reject(closedError());
    return new Promise((resolve, reject) => {
      this.#queue.push({ request, resolve: resolve as Waiting['resolve'], reject });
      this.#next();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const waiting of this.#queue.splice(0)) waiting.reject(closedError());
    this.#finish()?.reject(closedError());
    await this.#end();
  }

  #next(): void {
    if (this.#current || this.#closed) return;
    const waiting = this.#queue.shift();
    if (!waiting) return this.#rest();
    const open = this.#place.open(waiting.request.object);
    const current = { ...waiting, open };
    this.#current = current;
    open.then(
      () => this.#current === current && this.#send({ type: 'request', request: waiting.request }),
      (error: Error) => {
        if (this.#current !== current) return;
        this.#finish()?.reject(error);
        this.#next();
      },
    );
  }

  #send(message: ToThread, transferred: ArrayBuffer[] = []): void {
    this.#thread ??= this.#start();
    // Only a thread that works keeps the process alive.
    this.#thread.ref();
    this.#arm(this.#limits.answerMs, () => this.#overdue());
    this.#thread.postMessage(message, transferred);
  }

  #start(): Worker {
    const { heapMiB } = this.#limits;
    const thread = new Worker(new URL('./decode-thread.ts', import.meta.url), {
      workerData: this.#data,
      name: 'parquet-decode',
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: Math.min(8, heapMiB) },
    });
    const died = (error?: Error) => {
      if (this.#thread !== thread) return;
      const exhausted = (error as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY';
      const detail = exhausted
        ? `needs more than ${heapMiB} MiB to decode`
        : `could not be decoded: ${error?.message ?? 'the decoder stopped'}`;
      this.#fail(exhausted ? 'source_corrupt' : 'source_unavailable', detail, error);
    };
    thread.on('message', (message: FromThread) => this.#settle(message));
    thread.on('error', died);
    thread.on('exit', () => died());
    return thread;
  }

  #settle(message: FromThread): void {
    if (message.type === 'read') return void this.#read(message.from, message.to);
    const waiting = this.#finish();
    if (message.type === 'result') waiting?.resolve(message.result as never);
    else waiting?.reject(new SourceError(message.code, message.detail, message.address));
    this.#next();
  }

  async #read(from: number, to: number): Promise<void> {
    const current = this.#current;
    if (current === null) return;
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    try {
      const bytes = await (await current.open).read(from, to);
      if (this.#current !== current) return;
      const own = wholeBuffer(bytes);
      this.#send({ type: 'bytes', bytes: own }, [own]);
    } catch (error) {
      if (this.#current !== current) return;
      const { code, message, address } =
        error instanceof SourceError
          ? error
          : new SourceError(
              'source_unavailable',
              `${current.request.object.path} cannot be read: ${(error as Error).message}`,
            );
      this.#send({ type: 'unread', code, detail: message, address });
    }
  }

  #overdue(): void {
    this.#fail('source_corrupt', `could not be decoded in ${this.#limits.answerMs} ms`);
  }

  #fail(code: SourceError['code'], detail: string, cause?: Error): void {
    const waiting = this.#finish();
    void this.#end();
    if (waiting !== null) {
      const { request } = waiting;
      const address = request.kind === 'layout' ? null : `row ${request.group.firstRow}`;
      waiting.reject(new SourceError(code, `${request.object.path} ${detail}`, address, { cause }));
    }
    this.#next();
  }

  /** Whoever was being served; its object is closed. */
  #finish(): Waiting | null {
    const current = this.#current;
    this.#current = null;
    current?.open.then((open) => open.close()).catch(() => undefined);
    return current;
  }

  #rest(): void {
    this.#thread?.unref();
    this.#arm(idleMs, () => void this.#end());
  }

  #arm(ms: number, act: () => void): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms).unref();
  }

  async #end(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const thread = this.#thread;
    this.#thread = null;
    await thread?.terminate();
  }
}

/** To be handed over, it must be the whole of its memory. */
function wholeBuffer(bytes: Buffer): ArrayBuffer {
  return bytes.byteOffset === 0 && bytes.byteLength === bytes.buffer.byteLength
    ? (bytes.buffer as ArrayBuffer)
    : (bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer);
}

function closedError(): SourceError {
  return new SourceError('source_unavailable', 'the source is closed');
}
