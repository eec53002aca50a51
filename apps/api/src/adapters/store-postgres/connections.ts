/**
 * Connections to the store's database, and the one place where its errors become {@link StoreError}s.
 *
 * Only the simple query protocol, see literal.ts. Nothing is set on a connection: those of an embedded database share one session.
 */
import type { Socket } from 'node:net';
import pg from 'pg';
import { RecentHistogram } from '../../data-plane/apply/recent-histogram.ts';
import { systemClock } from '../../data-plane/clock.ts';
import { StoreError } from '../../data-plane/ports.ts';
import { Traffic } from './traffic.ts';

const CONNECT_LIMIT_MS = 5_000;

/** A row as the simple protocol gives it: every value as text, null as null. */
export type Row = Readonly<Record<string, string | null>>;

export interface Statements {
  /** One message: one transaction, unless the text says otherwise. */
  readonly run: (sql: string) => Promise<readonly Row[]>;
}

export class Connections implements Statements {
  readonly #pool: pg.Pool;
  /** From asking the pool for a connection to having it. */
  readonly waitMs = new RecentHistogram(systemClock);
  readonly #traffic = new Traffic();

  constructor(options: {
    readonly url: string;
    readonly connectionsMax: number;
    readonly statementLimitMs: number;
  }) {
    this.#pool = new pg.Pool({
      connectionString: options.url,
      max: options.connectionsMax,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      // A store that has stopped answering (half-open connection, stopped process) must become an error, or nobody would try again.
      query_timeout: options.statementLimitMs,
      keepAlive: true,
      application_name: 'spillway-store',
      types: { getTypeParser: () => (value: string) => value },
    });
    // An idle connection that breaks is dropped by the pool; the next statement finds out for itself.
    this.#pool.on('error', () => undefined);
    this.#pool.on('connect', (client) => this.#traffic.watch(socketOf(client)));
  }

  readonly run = async (sql: string): Promise<readonly Row[]> => {
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      return rowsOf(await client.query(sql));
    } catch (error) {
      // The server's own refusals leave the connection whole; anything else may not.
      if (!(error instanceof pg.DatabaseError)) broken = error as Error;
      throw storeErrorOf(error);
    } finally {
      release(client, broken);
    }
  };

  /** `work` in one transaction of several messages. Keep it short: an embedded database serves nobody else meanwhile. */
  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const client = await this.#connect();
    let broken: Error | undefined;
    try {
      const run = async (sql: string) => rowsOf(await client.query(sql));
      await run('begin');
      const result = await work({ run });
      await run('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((cause: Error) => (broken = cause));
      throw error instanceof StoreError ? error : storeErrorOf(error);
    } finally {
      release(client, broken);
    }
  }

  async #connect(): Promise<pg.PoolClient> {
    const from = performance.now();
    try {
      const client = await this.#pool.connect();
      client.on('error', ignored);
      return client;
    } catch (error) {
      throw storeErrorOf(error);
    } finally {
      this.waitMs.record(performance.now() - from);
    }
  }

  networkBytes(): number {
    return this.#traffic.networkBytes();
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}

/** Not in the client's types, and the only place that counts its bytes. */
function socketOf(client: pg.PoolClient): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}

/** While a connection is lent out the pool does not listen: one that breaks between two statements must not end the process. */
function ignored(): void {}

function release(client: pg.PoolClient, broken: Error | undefined): void {
  client.off('error', ignored);
  client.release(broken);
}

/** Of a message with several statements: the rows of the last. */
function rowsOf(result: pg.QueryResult | pg.QueryResult[]): readonly Row[] {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return (last?.rows ?? []) as Row[];
}

/** Classes of SQLSTATE after which the same statement may well succeed: connection, resources, operator intervention, deadlock. */
const PASSING = /^(08|53|57|40)|^55P03$|^25P0[2-4]$/;

function storeErrorOf(error: unknown): StoreError {
  const { code, message } = error as { code?: string; message?: string };
  const detail = message || code || String(error);
  if (!(error instanceof pg.DatabaseError))
    return new StoreError(
      error instanceof RangeError || error instanceof TypeError ? 'store_failed' : 'store_unavailable',
      detail,
      { cause: error },
    );
  if (code === 'SW001') return new StoreError('fenced', detail, { cause: error });
  return new StoreError(
    code !== undefined && PASSING.test(code) ? 'store_unavailable' : 'store_failed',
    detail,
    { cause: error },
  );
}
