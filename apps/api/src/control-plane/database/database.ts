import { setTimeout as pause } from 'node:timers/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { toleratesLostConnections } from '../../postgres-pool.ts';
import { socketOf } from '../../postgres-socket.ts';
import { endWhenSilent } from './silence.ts';
import { sqlStateOf } from './sql-state.ts';
import { CONTROL_SCHEMA } from './steps.ts';

export type Database = NodePgDatabase & {
  /** Told of each effect of a committed unit of work that failed. */
  readonly effectFailed: (error: unknown) => void;
  /** Over a connection of its own, for statements that may take longer than any other. Null: as long as they want. */
  readonly patiently: <T>(
    silenceMs: number | null,
    run: (database: NodePgDatabase) => Promise<T>,
  ) => Promise<T>;
};
export type Transaction = Parameters<Parameters<NodePgDatabase['transaction']>[0]>[0];

/**
 * One mutation: everything it writes, audit row included, commits together. What must only happen once it is durable (pushing
 * to workers, telling browsers) is registered with `afterCommit`. It may fail without harm: the mutation is done and is answered so, the
 * other effects still happen, and the failure is logged.
 */
export interface UnitOfWork {
  readonly tx: Transaction;
  afterCommit(effect: () => void | Promise<void>): void;
}

/**
 * A database that goes away without a word ends nothing by itself: who waits for it would wait for ever, long after it is back. So who gets no
 * connection, and who gets no answer, is told that it is not reached, and the next one connects anew.
 */
const LIMITS = {
  /** To connect, or to have a connection that others have. */
  connectMs: 10_000,
  /** Nothing has come over a connection that somebody has. No statement but {@link Database.patiently} takes that long. */
  silenceMs: 30_000,
};
/** While a statement takes long a peer that is gone acknowledges nothing any more: asked for that often, not every two hours. */
const KEEP_ALIVE_MS = 10_000;

/** In PostgreSQL's words for who writes there. */
class ReplicaError extends Error {
  readonly code = '25006';
}

export function connect(
  url: string,
  maxConnections: number,
  effectFailed: (error: unknown) => void = (error) =>
    process.emitWarning(`What follows a committed change failed: ${error}`),
  { connectMs, silenceMs } = LIMITS,
): { database: Database; pool: pg.Pool } {
  const pool = new pg.Pool({
    connectionString: url,
    max: maxConnections,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    verify: (client, done) => void prepare(client).then(() => done(), done),
  });
  toleratesLostConnections(pool);
  pool.on('connect', (client) => endWhenSilent(socketOf(client)));
  pool.on('acquire', (client) => socketOf(client).setTimeout(silenceMs));
  const lent = async <T>(run: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect();
    try {
      return await run(client);
    } finally {
      client.release();
    }
  };
  const database = Object.assign(drizzle(pool), {
    effectFailed,
    patiently: <T>(longerMs: number | null, run: (database: NodePgDatabase) => Promise<T>) =>
      lent((client) => {
        socketOf(client).setTimeout(longerMs ?? 0);
        return run(drizzle(client));
      }),
    // Of a pool drizzle never gives back a connection that broke at `begin`.
    transaction: <T>(run: (tx: Transaction) => Promise<T>) =>
      lent((client) => drizzle(client).transaction(run)),
  });
  return { database, pool };
}

/**
 * Once of each: after a fail-over a name may lead to a replica for a while, and who only reads would be told for ever what that holds. And
 * a user of the store's schema's name would find the store's tables first, where both share a database.
 */
async function prepare(client: pg.PoolClient): Promise<void> {
  const { rows } = await client.query<{ replica: boolean }>(
    `select pg_is_in_recovery() as replica, set_config('search_path', '${CONTROL_SCHEMA}', false)`,
  );
  if (rows[0]?.replica !== false)
    throw new ReplicaError('the server of the control database is a replica, which only reads');
}

/** A server takes one of several back that are in each other's way (serialization_failure, deadlock_detected): nothing of it is done. */
const takenBack = new Set(['40001', '40P01']);
const TRIES = 5;
const PAUSE_MAX_MS = 50;

/**
 * The caller owns the transaction: commands take the unit of work, routes and loops open it. `run` is called again when the server has
 * taken the transaction back, so outside of it `run` changes nothing, but by `afterCommit`.
 */
export async function unitOfWork<T>(database: Database, run: (work: UnitOfWork) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    const effects: (() => void | Promise<void>)[] = [];
    let result: T;
    try {
      result = await database.transaction((tx) => run({ tx, afterCommit: (effect) => effects.push(effect) }));
    } catch (error) {
      if (tries === TRIES || !takenBack.has(sqlStateOf(error))) throw error;
      await pause(Math.random() * PAUSE_MAX_MS);
      continue;
    }
    for (const effect of effects) {
      try {
        await effect();
      } catch (error) {
        database.effectFailed(error);
      }
    }
    return result;
  }
}
