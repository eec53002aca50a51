/**
 * A real stall of the store, for fire drills: one transaction that holds the lock which every writer needs, and does nothing else.
 *
 * The lock is on the table of stream positions, which every batch and every claim writes. It lets readers through: on PostgreSQL the
 * control plane's own questions go on being answered. On an embedded database an open transaction holds up everybody, as any
 * slow statement there would.
 *
 * It cannot outlive its purpose:
 * - after `forMs`, or when the signal aborts, it is rolled back; where even that is not answered, its socket is cut;
 * - a killed process takes its socket with it, and the database rolls back;
 * - a frozen process stops saying that it is alive. It says so every second, and a transaction that is silent for
 *   {@link SILENCE_LIMIT_MS} is ended: on PostgreSQL by `idle_in_transaction_session_timeout`, on the embedded database by its
 *   server's hold limit (supervise/embedded-postgres/settings.ts).
 *
 * The connection is its own: one of the pool's would be missing for the reads that go on.
 */
import { Socket } from 'node:net';
import pg from 'pg';
import { pause } from '../../data-plane/pause.ts';
import { StoreError, type StoreStall } from '../../data-plane/ports.ts';

const STALL_LIMIT_MS = 30_000;
const LOCK_LIMIT_MS = 5_000;
const ALIVE_EVERY_MS = 1_000;
const SILENCE_LIMIT_MS = 5_000;
const RELEASE_LIMIT_MS = 1_000;

/** PGlite has no timers: with an idle limit of PostgreSQL's own set, its next statement never comes back. */
const TAKE_LOCK = `begin;
  set local lock_timeout = ${LOCK_LIMIT_MS};
  select set_config('idle_in_transaction_session_timeout', case when version() like '%PGlite%' then '0' else '${SILENCE_LIMIT_MS}' end, true);
  lock table spillway.stream_positions in exclusive mode`;

type StallRequest = Parameters<StoreStall['stall']>[0];

/** Errors: `RangeError` for a `forMs` beyond 30 s; {@link StoreError} when the lock was not had in time, or not kept to the end. */
export async function stallWriters(url: string, { forMs, signal, stalled }: StallRequest): Promise<void> {
  if (!(forMs > 0 && forMs <= STALL_LIMIT_MS))
    throw new RangeError(`a stall takes more than 0 and at most ${STALL_LIMIT_MS} ms, not ${forMs}`);
  if (signal.aborted) throw notHad('it was called off');

  const socket = new Socket();
  const lost = new AbortController();
  const client = new pg.Client({
    connectionString: url,
    stream: () => socket,
    application_name: 'spillway-drill',
  });
  client.on('error', () => lost.abort());
  client.on('end', () => lost.abort());
  try {
    await takeLock(client, socket, signal);
    stalled();
    // Not waited for: a database that does not answer must not keep us from giving the lock back in time.
    const alive = setInterval(() => void client.query('select 1').catch(() => lost.abort()), ALIVE_EVERY_MS);
    await pause(forMs, AbortSignal.any([signal, lost.signal]));
    clearInterval(alive);
    if (lost.signal.aborted)
      throw new StoreError('store_unavailable', 'the store ended the stall before its time');
    await giveBack(client, socket);
  } finally {
    socket.destroy();
  }
}

async function takeLock(client: pg.Client, socket: Socket, signal: AbortSignal): Promise<void> {
  let why = 'it was called off';
  const giveUp = (): unknown => socket.destroy();
  const timer = setTimeout(() => {
    why = `its lock was not had within ${LOCK_LIMIT_MS / 1000} s`;
    giveUp();
  }, LOCK_LIMIT_MS);
  signal.addEventListener('abort', giveUp);
  try {
    await client.connect();
    await client.query(TAKE_LOCK);
  } catch (cause) {
    throw notHad(socket.destroyed ? why : (cause as Error).message, cause);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', giveUp);
  }
}

/** Answered or not, nothing is held afterwards: a cut socket is a rollback too. */
async function giveBack(client: pg.Client, socket: Socket): Promise<void> {
  const timer = setTimeout(() => socket.destroy(), RELEASE_LIMIT_MS);
  await client
    .query('rollback')
    .then(() => client.end())
    .catch(() => undefined);
  clearTimeout(timer);
}

function notHad(why: string, cause?: unknown): StoreError {
  return new StoreError('store_unavailable', `the store was not stalled: ${why}`, { cause });
}
