import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import * as schema from './schema.ts';

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

/** The caller owns the transaction: commands take the unit of work, routes and loops open it. */
export async function unitOfWork<T>(database: Database, run: (work: UnitOfWork) => Promise<T>): Promise<T> {
  const effects: (() => void | Promise<void>)[] = [];
  const result = await database.transaction((tx) =>
    run({ tx, afterCommit: (effect) => effects.push(effect) }),
  );
  for (const effect of effects) {
    try {
      await effect();
    } catch (error) {
      database.effectFailed(error);
    }
  }
  return result;
}
