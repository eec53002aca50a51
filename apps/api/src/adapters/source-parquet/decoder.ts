/**
 * Owns the decode thread: one request at a time, in order. The thread is started by the first request and ends after
 * `idleMs` without one, because its heap is memory that a feed at 100 events/s needs for 0.1 s in three quarters of an hour.
 * A thread that dies, runs out of its memory or does not answer in time fails the one request it had; the next starts another.
 */
import { Worker } from 'node:worker_threads';
import { SourceError } from '../../data-plane/ports.ts';
import type { DecodeAnswer, DecodeRequest, DecodeResults, DecodeThreadData } from './decode-protocol.ts';

const idleMs = 2_000;

export interface DecoderLimits {
  /** A row group that is not decoded by then is given up. */
  readonly answerMs: number;
  /** The thread's JavaScript heap; a row group of four million rows fits the default. */
  readonly heapMiB: number;
}

const usualLimits: DecoderLimits = { answerMs: 60_000, heapMiB: 512 };

interface Waiting {
  readonly request: DecodeRequest;
  readonly resolve: (result: never) => void;
  readonly reject: (error: SourceError) => void;
}

export class Decoder {
  readonly #data: DecodeThreadData;
  readonly #limits: DecoderLimits;
  readonly #queue: Waiting[] = [];
  #thread: Worker | null = null;
  #current: Waiting | null = null;
  /** Ends the thread when it is idle, or when it is overdue. */
  #timer: NodeJS.Timeout | null = null;
  #closed = false;

  constructor(data: DecodeThreadData, limits = usualLimits) {
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
    this.#current?.reject(closedError());
    this.#current = null;
    await this.#end();
  }

  #next(): void {
    if (this.#current || this.#closed) return;
    const waiting = this.#queue.shift();
    if (!waiting) return this.#rest();
    this.#current = waiting;
    this.#thread ??= this.#start();
    // Only a thread that works keeps the process alive.
    this.#thread.ref();
    const { answerMs } = this.#limits;
    this.#arm(answerMs, () =>
      this.#fail(
        new SourceError(
          'source_corrupt',
          `${this.#data.file} could not be decoded in ${answerMs} ms`,
          addressOf(waiting.request),
        ),
      ),
    );
    this.#thread.postMessage(waiting.request);
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
      this.#fail(
        new SourceError(
          exhausted ? 'source_corrupt' : 'source_unavailable',
          `${this.#data.file} ${detail}`,
          this.#current && addressOf(this.#current.request),
          { cause: error },
        ),
      );
    };
    thread.on('message', (answer: DecodeAnswer) => this.#settle(answer));
    thread.on('error', died);
    thread.on('exit', () => died());
    return thread;
  }

  #settle(answer: DecodeAnswer): void {
    const waiting = this.#current;
    this.#current = null;
    if (answer.ok) waiting?.resolve(answer.result as never);
    else waiting?.reject(new SourceError(answer.code, answer.detail, answer.address));
    this.#next();
  }

  #fail(error: SourceError): void {
    const waiting = this.#current;
    this.#current = null;
    void this.#end();
    waiting?.reject(error);
    this.#next();
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

function addressOf(request: DecodeRequest): string | null {
  return request.kind === 'layout' ? null : `row ${request.group.firstRow}`;
}

function closedError(): SourceError {
  return new SourceError('source_unavailable', 'the source is closed');
}
