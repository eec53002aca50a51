/**
 * Connections to the store's database.
 *
 * Two pools: live's statements have connections of their own, so that however many of replay's and of whoever reads are under way,
 * none of theirs is waited for. Nothing is set on a connection: those of an embedded database share one session.
 */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { RecentHistogram } from '../../data-plane/apply/recent-histogram.ts';
import { systemClock } from '../../data-plane/clock.ts';
import { StoreError } from '../../data-plane/ports.ts';
import { toleratesLostConnections } from '../../postgres-pool.ts';
import { socketOf } from '../../postgres-socket.ts';
import { asPrepared, asText, type Call } from './calls.ts';
import { endsConnection, failureOf, retryAfterMs, storeErrorOf } from './failures.ts';
import { Traffic } from './traffic.ts';

const CONNECT_LIMIT_MS = 5_000;
/** One batch at a time, and a second connection for when the first has to be given up. */
const LIVE_CONNECTIONS = 2;

/** A row as the simple protocol gives it: every value as text, null as null. */
export type Row = Readonly<Record<string, string | null>>;

export interface Statements {
  /** One message: one transaction, unless the text says otherwise. */
  readonly run: (sql: string) => Promise<readonly Row[]>;
}

export type Lane = 'live' | 'rest';

export class Connections implements Statements {
  readonly #pools: Readonly<Record<Lane, pg.Pool>>;
  /** From asking a pool for a connection to having it. */
  readonly waitMs = new RecentHistogram(systemClock);
  readonly #traffic = new Traffic();
  readonly #looked = new WeakSet<pg.PoolClient>();
  #embedded: Promise<boolean> | null = null;

  constructor(options: {
    readonly url: string;
    /** Besides those of live. */
    readonly connectionsMax: number;
    readonly statementLimitMs: number;
  }) {
    const open = (lane: Lane, max: number): pg.Pool => {
      const pool = new pg.Pool({
        connectionString: options.url,
        max,
        connectionTimeoutMillis: CONNECT_LIMIT_MS,
        // A store that has stopped answering (half-open connection, stopped process) must become an error, or nobody would try again.
        query_timeout: options.statementLimitMs,
        keepAlive: true,
        application_name: lane === 'live' ? 'spillway-store-live' : 'spillway-store',
        types: { getTypeParser: () => (value: string) => value },
      });
      toleratesLostConnections(pool);
      pool.on('connect', (client) => this.#traffic.watch(socketOf(client)));
      return pool;
    };
    this.#pools = { live: open('live', LIVE_CONNECTIONS), rest: open('rest', options.connectionsMax) };
  }

  /** Changes something, or may. */
  readonly run = (sql: string): Promise<readonly Row[]> => this.#send('rest', sql, false);

  /** For statements that change nothing: one whose answer is lost is asked once more. */
  readonly questions: Statements = { run: (sql) => this.#send('rest', sql, true) };

  async call(lane: Lane, call: Call): Promise<readonly Row[]> {
    return this.#send(lane, (await this.isEmbedded()) ? asText(call) : asPrepared(call), false);
  }

  /** `work` in one transaction of several messages. Keep it short: an embedded database serves nobody else meanwhile. */
  async transaction<T>(work: (statements: Statements) => Promise<T>): Promise<T> {
    const client = await this.#connect('rest');
    let broken: Error | undefined;
    try {
      await this.#leadsToPrimary(client);
      const run = async (sql: string) => rowsOf(await client.query(sql));
      await run('begin');
      const result = await work({ run });
      await run('commit');
      return result;
    } catch (error) {
      await client.query('rollback').catch((cause: Error) => (broken = cause));
      if (error instanceof StoreError) throw error;
      const failure = failureOf(error, true);
      if (endsConnection(error, failure)) broken ??= error as Error;
      throw storeErrorOf(error, failure);
    } finally {
      client.release(broken);
    }
  }

  async #send(lane: Lane, query: string | pg.QueryConfig, repeatable: boolean): Promise<readonly Row[]> {
    for (let times = 1; ; times++) {
      const client = await this.#connect(lane);
      let failed: unknown;
      let broken: Error | undefined;
      try {
        await this.#leadsToPrimary(client);
        return rowsOf(await client.query(query as string));
      } catch (error) {
        failed = error;
        if (endsConnection(error, failureOf(error, true))) broken = error as Error;
      } finally {
        client.release(broken);
      }
      const failure = failureOf(failed, true);
      const afterMs = retryAfterMs(failure, { times, repeatable, chance: Math.random() });
      if (afterMs === null) throw storeErrorOf(failed, failure);
      await pause(afterMs);
    }
  }

  async #connect(lane: Lane): Promise<pg.PoolClient> {
    const from = performance.now();
    try {
      return await this.#pools[lane].connect();
    } catch (error) {
      throw storeErrorOf(error, failureOf(error, false));
    } finally {
      this.waitMs.record(performance.now() - from);
    }
  }

  /** Once of each: after a fail-over a name may lead to a replica for a while, and who only reads would be told for ever what that holds. */
  async #leadsToPrimary(client: pg.PoolClient): Promise<void> {
    if (this.#looked.has(client)) return;
    const [row] = rowsOf(await client.query('select pg_is_in_recovery() as replica'));
    if (row?.['replica'] !== 'f') throw new Error('the server of the store is a replica, which only reads');
    this.#looked.add(client);
  }

  /** All connections are one session, which serves one statement at a time. Asked once: behind one URL it stays what it is. */
  isEmbedded(): Promise<boolean> {
    this.#embedded ??= this.questions
      .run('select version() as version')
      .then(([row]) => row?.['version']?.includes('PGlite') === true)
      .catch((error: unknown) => {
        this.#embedded = null;
        throw error;
      });
    return this.#embedded;
  }

  networkBytes(): number {
    return this.#traffic.networkBytes();
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#pools).map((pool) => pool.end()));
  }
}

/** Of a message with several statements: the rows of the last. */
function rowsOf(result: pg.QueryResult | pg.QueryResult[]): readonly Row[] {
  const last = Array.isArray(result) ? result.at(-1) : result;
  return (last?.rows ?? []) as Row[];
}
