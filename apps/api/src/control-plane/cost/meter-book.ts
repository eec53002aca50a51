/**
 * The meters of all pipelines: in memory for whoever asks, in the database for whoever comes after.
 *
 * Model: an observation changes the state in memory at once and is written before the tick that brought it is answered; ticks that come
 * while a write is under way share the next. State and totals are one row, so what is stored is consistent whenever the process dies. What is
 * lost with it, a tick at most, the next tick tells again: counters are absolute. A row that another process has written meanwhile is read
 * again, and what this one had in memory is dropped, for the same reason.
 */
import type { PriceBook } from '@spillway/shared/api/cost';
import type { MeteredUsage } from '@spillway/shared/cost/items';
import {
  emptyMeter,
  forgetSeries,
  heardAtMs,
  type MeterState,
  meteredOf,
  settle,
} from '@spillway/shared/cost/meter';
import { meterOfRecord, recordOfMeter } from '@spillway/shared/cost/meter-record';
import { eq, sql } from 'drizzle-orm';
import type { Clock } from '../context.ts';
import type { Database, Transaction } from '../database/database.ts';
import { meters } from '../database/schema.ts';
import { sqlStateOf } from '../database/sql-state.ts';
import { priceBooksOf } from './price-books.ts';
import { pricedBy, provisionedBy } from './priced-by.ts';

/** What has been counted of counters that outlive their reporters. */
export interface Durable {
  /** Position of the log, bytes; null: never seen. */
  readonly walBytes: number | null;
  /** When that was told, epoch ms; absent: before this was kept. */
  readonly walAtMs?: number | null;
  /** The book live is priced by, and what it came to under those before (`PricedPast`); absent: there has been none. */
  readonly live?: { readonly version: number; readonly past: string | null };
  /** The store's own counts, by backfill. */
  readonly rows: Readonly<
    Record<string, { readonly applied: number; readonly duplicate: number; readonly quarantined: number }>
  >;
}

export interface Meter {
  state: MeterState;
  durable: Durable;
  revision: number;
  /** Every version, the newest last; empty: there is no price book. */
  books: readonly PriceBook[];
  /** When it was read, and when each series was heard of since, monotonic ms. */
  readonly readMs: number;
  readonly heardMs: Map<string, number>;
}

/**
 * A series not heard of for so long is forgotten. The time is that of listening: neither a clock that is set, nor an api that was down makes a
 * worker silent. One whose own machine slept so long says that it has been heard before, and is counted from there (record-usage.ts).
 */
const FORGET_SERIES_MS = 3_600_000;
/** In which workers that have lost their api find the next one: they ask every two seconds at least. Nothing is settled until then. */
const RETURN_MS = 10_000;
/** The meter's row refers to a pipeline that there is no more. */
const FOREIGN_KEY_VIOLATION = '23503';
const noneCounted: Durable = { walBytes: null, walAtMs: null, rows: {} };

export class MeterBook {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #loading = new Map<string, Promise<Meter>>();
  readonly #loaded = new Map<string, Meter>();
  /** Ends of the last write of each, and the write that has not begun: whoever comes joins it. */
  readonly #writing = new Map<string, Promise<unknown>>();
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  /**
   * From the database at first. Within a transaction it is read through it: on an embedded database every other connection waits for the
   * transaction to end, and so would this one's question, also one that somebody else has asked already.
   */
  async load(pipelineId: string, tx: Transaction | null = null): Promise<Meter> {
    const known = this.loaded(pipelineId);
    if (known !== null) return this.#priced(known);
    if (tx !== null) return this.#adopt(pipelineId, await this.#read(tx, pipelineId));
    const loading =
      this.#loading.get(pipelineId) ??
      this.#read(this.#database, pipelineId).finally(() => this.#loading.delete(pipelineId));
    this.#loading.set(pipelineId, loading);
    return this.#adopt(pipelineId, await loading);
  }

  /** Null until it has been loaded. */
  loaded(pipelineId: string): Meter | null {
    return this.#loaded.get(pipelineId) ?? null;
  }

  /** What an account has used until now, but for what was moved out of the meter; null: not metered. */
  usageOf(pipelineId: string, account: string): MeteredUsage | null {
    const meter = this.loaded(pipelineId);
    if (meter === null) return null;
    const usage = meteredOf(meter.state, account, provisionedOf(meter), this.#clock.now());
    return Object.keys(usage.total).length === 0 ? null : usage;
  }

  async reloadBooks(pipelineId: string): Promise<void> {
    const meter = await this.load(pipelineId);
    meter.books = await priceBooksOf(this.#database, pipelineId);
    this.#priced(meter);
  }

  /** Those whose meter has been loaded. */
  pipelineIds(): string[] {
    return [...this.#loaded.keys()];
  }

  /** Resolves when what was in memory at the call is stored. Errors: the driver's. */
  store(pipelineId: string): Promise<void> {
    const waiting = this.#waiting.get(pipelineId);
    if (waiting !== undefined) return waiting;
    const stored = this.exclusively(pipelineId, async () => {
      this.#waiting.delete(pipelineId);
      await this.write(this.#database, pipelineId);
    });
    this.#waiting.set(pipelineId, stored);
    return stored;
  }

  /** One writer of a pipeline's row at a time, in the order they came. */
  exclusively<T>(pipelineId: string, run: () => Promise<T>): Promise<T> {
    const last = this.#writing.get(pipelineId) ?? Promise.resolve();
    const own = last.then(run);
    this.#writing.set(
      pipelineId,
      own.catch(() => undefined),
    );
    return own;
  }

  /**
   * Settles what is due, and writes within `tx`; false: another has written, or the pipeline has been removed, and what was in memory is dropped. A
   * `tx` is over in the second case.
   */
  async write(tx: Database | Transaction, pipelineId: string): Promise<boolean> {
    const meter = this.loaded(pipelineId);
    if (meter === null) return false;
    const { readMs, heardMs } = this.#priced(meter);
    const atMs = this.#clock.monotonic();
    const silent = (series: string) => atMs - (heardMs.get(series) ?? readMs) > FORGET_SERIES_MS;
    // Minutes in which no api ran stay open until all its workers have come back and told of them.
    if (!this.#isReturning(meter)) meter.state = settle(meter.state, provisionedOf(meter), this.#clock.now());
    meter.state = forgetSeries(meter.state, silent);
    for (const series of heardMs.keys()) if (silent(series)) heardMs.delete(series);
    const revision = meter.revision;
    meter.revision += 1;
    const values = {
      state: recordOfMeter(meter.state),
      durable: JSON.stringify(meter.durable),
      revision: revision + 1,
    };
    try {
      const rows = await tx
        .insert(meters)
        .values({ pipelineId, ...values })
        .onConflictDoUpdate({
          target: meters.pipelineId,
          set: values,
          setWhere: sql`${meters.revision} = ${revision}`,
        })
        .returning({ revision: meters.revision });
      if (rows.length > 0) return true;
    } catch (error) {
      // Whether it was stored is not known. If it was, the next write finds a newer row than it expects.
      meter.revision = revision;
      if (sqlStateOf(error) !== FOREIGN_KEY_VIOLATION) throw error;
    }
    this.forget(pipelineId);
    return false;
  }

  /** It is read again when it is next asked for. */
  forget(pipelineId: string): void {
    this.#loaded.delete(pipelineId);
  }

  /** By the newest book; not while workers are yet to come back: what they will tell of was used before the change. */
  #priced(meter: Meter): Meter {
    const waits = this.#isReturning(meter) && Object.keys(meter.state.series).length > 0;
    if (waits) return meter;
    return Object.assign(
      meter,
      pricedBy(meter, meter.books, () => this.#clock.now()),
    );
  }

  #isReturning({ readMs }: Meter): boolean {
    return this.#clock.monotonic() - readMs < RETURN_MS;
  }

  /** Of two that were read at the same time the first is kept. */
  #adopt(pipelineId: string, read: Meter): Meter {
    const meter = this.#loaded.get(pipelineId) ?? read;
    this.#loaded.set(pipelineId, meter);
    return meter;
  }

  async #read(executor: Database | Transaction, pipelineId: string): Promise<Meter> {
    const [row] = await executor.select().from(meters).where(eq(meters.pipelineId, pipelineId));
    const books = await priceBooksOf(executor, pipelineId);
    const listening = { readMs: this.#clock.monotonic(), heardMs: new Map<string, number>() };
    const stored = {
      state: row === undefined ? emptyMeter : meterOfRecord(row.state),
      durable: row === undefined ? noneCounted : (JSON.parse(row.durable) as Durable),
    };
    // Whoever changed the book may have died before the meter was told. That was after all it has heard; the book has the database's time.
    const heardMs = heardAtMs(stored.state);
    const nowMs = this.#clock.now();
    const changedMs = (book: PriceBook) => Math.min(nowMs, Math.max(heardMs, Date.parse(book.changedAt)));
    return {
      ...pricedBy(stored, books, changedMs),
      revision: row?.revision ?? 0,
      books,
      ...listening,
    };
  }
}

function provisionedOf(meter: Meter): PriceBook['provisioned'] {
  return provisionedBy(bookInForce(meter));
}

/** What live is priced by, and what is provisioned for all; undefined: none. Not the newest while that waits for workers to come back. */
export function bookInForce({ books, durable }: Meter): PriceBook | undefined {
  return books.find(({ version }) => version === durable.live?.version);
}

/** The one a backfill is priced by; before there was any, the first. Null: the pipeline has none. */
export function bookOf({ books }: Pick<Meter, 'books'>, version: number | null): PriceBook | null {
  return books.find((book) => book.version === version) ?? books[0] ?? null;
}

/** For whoever shows what was metered. */
export async function loadMeters(
  ctx: { readonly database: Database; readonly clock: Clock },
  of: readonly { readonly row: { readonly pipelineId: string } }[],
  tx: Transaction | null = null,
): Promise<void> {
  for (const pipelineId of new Set(of.map(({ row }) => row.pipelineId)))
    await meterBook(ctx).load(pipelineId, tx);
}

const meterBooks = new WeakMap<Database, MeterBook>();

export function meterBook(ctx: { readonly database: Database; readonly clock: Clock }): MeterBook {
  const known = meterBooks.get(ctx.database) ?? new MeterBook(ctx.database, ctx.clock);
  meterBooks.set(ctx.database, known);
  return known;
}
