/**
 * A few connections to a database that is not ours, and transactions that only read. Each transaction is one snapshot: what is changed meanwhile
 * is not seen by it.
 */
import pg from 'pg';
import { toleratesLostConnections } from '../../postgres-pool.ts';
import { socketOf } from '../../postgres-socket.ts';
import { clientConfig, type PostgresTarget } from '../../postgres-target.ts';
import { orAborted } from '../source-rows/turn.ts';
import { sourceErrorOf } from './errors.ts';

const CONNECT_LIMIT_MS = 5_000;
/** A snapshot that nobody goes on with keeps the database from cleaning up: the server gives it up by itself. */
const IDLE_LIMIT_MS = 600_000;
/** What the server is given beyond a statement's limit to say itself that it has been reached. Who is gone says nothing. */
const ANSWER_LATE_MS = 2_000;
/** Of a statement that is under way a peer that is gone acknowledges nothing any more: asked for that often, not every two hours. */
const KEEP_ALIVE_MS = 10_000;

type Values = Readonly<Record<string, string | null>>;

export interface Snapshot {
  /** Every value as text. */
  query(text: string, values?: readonly unknown[]): Promise<readonly Values[]>;
  /** Received over the connection since this was last asked. */
  takeBytes(): number;
}

export class Connections {
  readonly #target: PostgresTarget;
  /** That is read, with its schema: for messages. */
  readonly #table: string;
  readonly #pool: pg.Pool;
  readonly #waiting: (() => void)[] = [];
  #free: number;
  #ended: Promise<void> | null = null;

  constructor(target: PostgresTarget, table: string, connectionsMax: number) {
    this.#target = target;
    this.#table = table;
    this.#free = connectionsMax;
    this.#pool = new pg.Pool({
      ...clientConfig(target, 'spillway-source'),
      max: connectionsMax,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      idleTimeoutMillis: 10_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
      types: { getTypeParser: () => (value: string) => value },
    });
    toleratesLostConnections(this.#pool);
  }

  /** All are lent out: whoever comes now would wait. */
  get busy(): boolean {
    return this.#free === 0;
  }

  /**
   * A snapshot, open until `release`, which may be called more than once. Waits for a free connection for as long as the signal lets it.
   * Errors: `source_denied`, `source_missing`, `source_unavailable`; the signal's reason.
   */
  async open(
    statementTimeoutMs: number,
    signal: AbortSignal,
  ): Promise<Snapshot & { readonly release: () => Promise<void> }> {
    await this.#takeFree(signal);
    let client: pg.PoolClient | null = null;
    let failure: unknown = null;
    const release = async () => {
      const held = client;
      client = null;
      if (held === null) return;
      // A statement may still be under way: then only the end of the connection ends it.
      const broken =
        failure === null
          ? await held.query(limited('commit', ANSWER_LATE_MS)).then(
              () => null,
              (error: unknown) => error,
            )
          : failure;
      held.release(broken !== null);
      this.#giveBack();
    };
    try {
      client = await this.#pool.connect();
    } catch (error) {
      this.#giveBack();
      throw sourceErrorOf(error, this.#target, this.#table);
    }
    const socket = socketOf(client);
    let told = socket.bytesRead;
    const run = async (text: string, values?: readonly unknown[]) => {
      if (client === null) throw new RangeError('the snapshot has been released');
      try {
        const query = limited(text, statementTimeoutMs + ANSWER_LATE_MS, values);
        return await orAborted<pg.QueryResult>(client.query(query), signal);
      } catch (error) {
        failure = error;
        throw signal.aborted && error === signal.reason
          ? error
          : sourceErrorOf(error, this.#target, this.#table);
      }
    };
    try {
      await run(beginning(statementTimeoutMs));
    } catch (error) {
      await release();
      throw error;
    }
    return {
      query: async (text, values = []) => (await run(text, values)).rows,
      takeBytes() {
        const bytes = socket.bytesRead - told;
        told = socket.bytesRead;
        return bytes;
      },
      release,
    };
  }

  close(): Promise<void> {
    this.#ended ??= this.#pool.end();
    return this.#ended;
  }

  async #takeFree(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    let had = false;
    const turn = new Promise<void>((resolve) =>
      this.#waiting.push(() => {
        had = true;
        resolve();
      }),
    );
    try {
      await orAborted(turn, signal);
    } catch (error) {
      // Whoever has given up is passed over; what came at the same moment is passed on.
      if (had) this.#giveBack();
      else void turn.then(() => this.#giveBack());
      throw error;
    }
  }

  #giveBack(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}

/** The embedded database knows no limits of time, and never comes back from an idle one. */
function beginning(statementTimeoutMs: number): string {
  return `begin transaction isolation level repeatable read read only;
    select set_config('statement_timeout', '${statementTimeoutMs}', true), set_config('idle_in_transaction_session_timeout',
      case when version() like '%PGlite%' then '0' else '${IDLE_LIMIT_MS}' end, true)`;
}

/** Given up when it has no answer for so long, which the client's types do not know. Without values it may be several statements. */
function limited(text: string, answerLimitMs: number, values?: readonly unknown[]): pg.QueryConfig {
  const query = { text, query_timeout: answerLimitMs };
  return values === undefined ? query : { ...query, values: [...values] };
}
