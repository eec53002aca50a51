/**
 * The PostgreSQL wire protocol in front of one PGlite, for many connections.
 *
 * Why not @electric-sql/pglite-socket: by its source (0.2.17) it hands the engine single messages, so a Bind that comes
 * in a later read lets another connection's Parse in between; a client that dies while its BEGIN runs is not rolled
 * back; and nothing ends a transaction whose client is stopped. Here:
 *
 * - The engine runs whole message groups (wire-frames.ts), one at a time, in the order of `Turns`.
 * - A connection that dies in a transaction is rolled back before the next turn.
 * - A connection that keeps the engine in a transaction, silent for `holdLimitMs` while others wait, is ended with
 *   25P03, as idle_in_transaction_session_timeout would (PGlite has no timers, so it cannot do so itself).
 * - Prepared statements' names are the connection's own. Settings (SET) and temporary tables are not: all connections
 *   share one session, so use SET LOCAL. Advisory locks and LISTEN mean nothing here for the same reason.
 * - COPY FROM STDIN is refused: inside PGlite the end of its input ends the process.
 * - A statement cannot be interrupted: WebAssembly runs to its end, so CancelRequest is accepted and changes nothing.
 * - PGlite never checkpoints by its log's volume (single-user PostgreSQL leaves that to a process that is not there), so
 *   the log grows without end, and with it the time to recover. Checkpointed here, between transactions, once
 *   `checkpointEveryBytes` of log have been written since the last; tens of milliseconds each (settings.ts).
 *
 * An engine that throws is broken; `onBroken` ends the process, and its supervisor starts another one.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { setImmediate as yieldToSockets } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { type Turn, Turns } from './turns.ts';
import {
  closeStatementMessage,
  FrameReader,
  fatalMessage,
  firstValue,
  ownStatementNames,
  queryMessage,
  sessionStatus,
  sqlTexts,
  startupMessage,
  WireProtocolError,
} from './wire-frames.ts';

const QUEUED_GROUPS_MAX = 64;
const CHECKPOINT_LOOK_EVERY_MS = 1_000;
const COPY_FROM_STDIN = /\bcopy\b[^;]*\bfrom\s+stdin\b/i;
const REFUSE_COPY = queryMessage(
  "DO $$BEGIN RAISE EXCEPTION 'COPY FROM STDIN is not supported by the embedded database' USING ERRCODE = '0A000'; END$$",
);
const WAL_POSITION = queryMessage("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn");
/** Sync first: a group that was left unfinished after an error makes the engine skip everything up to one. */
const SYNC_AND_ROLLBACK = Buffer.concat([Buffer.from([0x53, 0, 0, 0, 4]), queryMessage('ROLLBACK')]);
const RUN_WITHOUT_READING_MS = 5;

export interface WireServerOptions {
  database: PGlite;
  socketPath: string;
  connectionsMax: number;
  /** How long a silent transaction may keep others waiting. */
  holdLimitMs: number;
  checkpointEveryBytes: number;
  onBroken(error: unknown): void;
}

export interface WireServer {
  /** Ends every connection, rolls back what is open and resolves once the engine is at rest. */
  close(): Promise<void>;
}

interface Connection {
  id: number;
  socket: Socket;
  reader: FrameReader;
  statements: Set<string>;
}

export async function serveWire(options: WireServerOptions): Promise<WireServer> {
  const engine = new Engine(options.database);
  const greeting = await engine.run(startupMessage());
  const server = new WireServerImplementation(options, engine, greeting);
  await server.listen();
  return server;
}

/** The one way into PGlite: raw protocol bytes in, raw bytes out. Runs synchronously, never two at once. */
class Engine {
  readonly #database: PGlite;

  constructor(database: PGlite) {
    this.#database = database;
  }

  async run(group: Buffer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    // The bytes lie in the engine's memory and are overwritten by the next call: copy.
    const onRawData = (bytes: Uint8Array): void => void chunks.push(Buffer.from(bytes));
    await this.#database.execProtocolRawStream(group, { syncToFs: false, onRawData });
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
  }
}

class WireServerImplementation implements WireServer {
  readonly #options: WireServerOptions;
  readonly #engine: Engine;
  readonly #greeting: Buffer;
  readonly #server: Server;
  readonly #connections = new Map<number, Connection>();
  readonly #turns = new Turns();
  #nextId = 1;
  #running: Promise<void> | null = null;
  #rollbackDue = false;
  #statementsToClose: string[] = [];
  #holdTimer: NodeJS.Timeout | null = null;
  /** Since when the owner has been silent while others wait; null: it is not, or nobody waits. */
  #heldSinceMs: number | null = null;
  #checkpointTimer: NodeJS.Timeout | null = null;
  #checkpointDue = false;
  #checkpointedAtBytes = 0;

  constructor(options: WireServerOptions, engine: Engine, greeting: Buffer) {
    this.#options = options;
    this.#engine = engine;
    this.#greeting = greeting;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  listen(): Promise<void> {
    this.#checkpointTimer = setInterval(() => {
      this.#checkpointDue = true;
      this.#pump();
    }, CHECKPOINT_LOOK_EVERY_MS).unref();
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#options.socketPath, resolve);
    });
  }

  async close(): Promise<void> {
    if (this.#checkpointTimer !== null) clearInterval(this.#checkpointTimer);
    this.#server.close();
    for (const connection of [...this.#connections.values()]) {
      this.#end(connection, fatalMessage('57P01', 'the embedded database is stopping'));
    }
    while (this.#running !== null) await this.#running;
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
  }

  #accept(socket: Socket): void {
    if (this.#connections.size >= this.#options.connectionsMax) {
      socket.on('error', () => undefined);
      socket.end(fatalMessage('53300', `too many connections: at most ${this.#options.connectionsMax}`));
      return;
    }
    const connection = {
      id: this.#nextId++,
      socket,
      reader: new FrameReader(),
      statements: new Set<string>(),
    };
    this.#connections.set(connection.id, connection);
    socket.on('data', (chunk) => this.#read(connection, chunk as Buffer));
    socket.on('drain', () => socket.resume());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#forget(connection));
  }

  #read(connection: Connection, chunk: Buffer): void {
    try {
      connection.reader.push(chunk);
      for (let frame = connection.reader.next(); frame !== null; frame = connection.reader.next()) {
        if (frame.kind === 'encryption-request') connection.socket.write('N');
        else if (frame.kind === 'startup') connection.socket.write(this.#greeting);
        else if (frame.kind === 'cancel' || frame.kind === 'terminate') return this.#leaveQuietly(connection);
        else this.#turns.arrive({ connection: connection.id, group: this.#admit(connection, frame.bytes) });
      }
    } catch (error) {
      if (!(error instanceof WireProtocolError)) throw error;
      return this.#end(connection, fatalMessage('08P01', error.message));
    }
    if (this.#turns.waitingOf(connection.id) >= QUEUED_GROUPS_MAX) connection.socket.pause();
    this.#pump();
  }

  #admit(connection: Connection, group: Buffer): Buffer {
    if (sqlTexts(group).some((sql) => COPY_FROM_STDIN.test(sql))) return REFUSE_COPY;
    return ownStatementNames(group, `${connection.id}.`, connection.statements);
  }

  #pump(): void {
    if (this.#running !== null) return;
    this.#running = this.#runTurns().catch((error) => this.#options.onBroken(error));
  }

  /** Runs until nobody may go on. Nothing but this loop touches the engine once the server listens. */
  async #runTurns(): Promise<void> {
    let yieldAt = performance.now() + RUN_WITHOUT_READING_MS;
    for (;;) {
      await this.#tidySession();
      const turn = this.#turns.next();
      if (turn === null) break;
      await this.#runTurn(turn);
      if (performance.now() < yieldAt) continue;
      await yieldToSockets();
      yieldAt = performance.now() + RUN_WITHOUT_READING_MS;
    }
    this.#running = null; // in the same step as the look at the queue, so that no arrival falls between
    this.#watchHold();
  }

  async #runTurn(turn: Turn): Promise<void> {
    const answer = await this.#engine.run(turn.group);
    const status = sessionStatus(answer);
    const connection = this.#connections.get(turn.connection);
    this.#turns.finish(turn.connection, status !== 'I');
    this.#heldSinceMs = null;
    if (connection === undefined) {
      if (this.#turns.leave(turn.connection)) this.#rollbackDue = true;
      return;
    }
    connection.socket.write(answer);
    if (connection.socket.isPaused() && !connection.socket.writableNeedDrain) connection.socket.resume();
    // A client that does not read its answers is not read either: at most one answer waits for it in memory.
    if (connection.socket.writableNeedDrain) connection.socket.pause();
  }

  /** What the engine owes to connections that are gone, and to the disk. */
  async #tidySession(): Promise<void> {
    if (this.#rollbackDue) {
      this.#rollbackDue = false;
      await this.#engine.run(SYNC_AND_ROLLBACK);
    }
    if (this.#turns.owner !== null) return;
    for (const name of this.#statementsToClose.splice(0)) await this.#engine.run(closeStatementMessage(name));
    if (this.#checkpointDue) {
      this.#checkpointDue = false;
      await this.#checkpointIfDue();
    }
  }

  async #checkpointIfDue(): Promise<void> {
    const written = Number(firstValue(await this.#engine.run(WAL_POSITION)));
    if (written - this.#checkpointedAtBytes < this.#options.checkpointEveryBytes) return;
    await this.#engine.run(queryMessage('CHECKPOINT'));
    this.#checkpointedAtBytes = written;
  }

  /** Called whenever others arrive, and once a second for the checkpoint: neither may prolong the owner's silence. */
  #watchHold(): void {
    if (this.#holdTimer !== null) clearTimeout(this.#holdTimer);
    this.#holdTimer = null;
    if (!this.#turns.blocksOthers) {
      this.#heldSinceMs = null;
      return;
    }
    this.#heldSinceMs ??= performance.now();
    const leftMs = this.#heldSinceMs + this.#options.holdLimitMs - performance.now();
    // Sockets are read before the verdict: it may be this process that was stopped, not the owner.
    this.#holdTimer = setTimeout(() => setImmediate(() => this.#endHold()), Math.max(0, leftMs)).unref();
  }

  #endHold(): void {
    const held = this.#heldSinceMs;
    if (this.#running !== null || held === null || performance.now() - held < this.#options.holdLimitMs)
      return;
    const { owner } = this.#turns;
    const connection = owner === null ? undefined : this.#connections.get(owner);
    if (connection === undefined) return;
    this.#end(
      connection,
      fatalMessage('25P03', 'ended: it kept the engine in a silent transaction while others waited'),
    );
  }

  /** What came before the farewell is still done. */
  #leaveQuietly(connection: Connection): void {
    this.#pump();
    connection.socket.end();
  }

  #end(connection: Connection, reason: Buffer): void {
    connection.socket.end(reason);
    connection.socket.destroySoon();
    this.#forget(connection);
  }

  #forget(connection: Connection): void {
    if (!this.#connections.delete(connection.id)) return;
    if (this.#turns.leave(connection.id)) this.#rollbackDue = true;
    this.#statementsToClose.push(...connection.statements);
    this.#pump();
  }
}
