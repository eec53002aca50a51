import { setTimeout as pause } from 'node:timers/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as schema from './schema.ts';
import { sqlStateOf } from './sql-state.ts';

export type Database = NodePgDatabase<typeof schema> & {
  /** Told of each effect of a committed unit of work that failed. */
  readonly effectFailed: (error: unknown) => void;
};
export type Transaction = Parameters<Parameters<Database['transaction']>[0]>[0];

/**
 * One mutation: everything it writes, audit row included, commits together. What must only happen once it is durable (pushing
 * to workers, telling browsers) is registered with `afterCommit`. It may fail without harm: the mutation is done and is answered so, the
 * other effects still happen, and the failure is logged.
 */
export interface UnitOfWork {
  readonly tx: Transaction;
  afterCommit(effect: () => void | Promise<void>): void;
}

export function connect(
  url: string,
  maxConnections: number,
  effectFailed: (error: unknown) => void = (error) =>
    process.emitWarning(`What follows a committed change failed: ${error}`),
): { database: Database; pool: pg.Pool } {
  const pool = new pg.Pool({ connectionString: url, max: maxConnections });
  // A dropped idle connection is not an error of anybody's query: the pool replaces it.
  pool.on('error', () => {});
  // Nor is one that drops inside a transaction an error of the process: the query under way fails, and that is enough.
  pool.on('connect', (client) => client.on('error', () => {}));
  return { database: Object.assign(drizzle(pool, { schema }), { effectFailed }), pool };
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
