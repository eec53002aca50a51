/**
 * One number from a PostgreSQL that is not ours.
 *
 * The query runs as a cursor in a transaction that may only read, on a connection that ends with it. `declare … cursor for` takes one
 * query and nothing else, and the extended protocol takes one statement and no second: nothing the query says can end
 * the transaction. The columns are looked at before any row is sent, and two rows at most are sent. What the server computes for
 * them is up to the query: a sort, an aggregate or a function in `from` is computed to its end before the first.
 *
 * statement_timeout is the server's own limit, so that a probe given up here does not go on there; the caller's signal ends
 * the connection in any case. The embedded database knows no such limit: there a statement goes on to its end, and nobody else is
 * served meanwhile. So the caller is told whom it is dealing with, before the query begins.
 */
import { Socket, type TcpSocketConnectOpts } from 'node:net';
import pg from 'pg';
import { clientConfig, isSocketFolder, parsePostgresTarget } from '../../postgres-target.ts';
import { pinnedTo, resolveOnce } from '../outbound/address.ts';
import { OutboundFailure, sentenceOf } from '../outbound/failure.ts';
import { ProbeFailure } from './failure.ts';
import { probeGuard } from './guard.ts';

const numberTypes: ReadonlySet<number> = new Set([
  pg.types.builtins.INT2,
  pg.types.builtins.INT4,
  pg.types.builtins.INT8,
  pg.types.builtins.FLOAT4,
  pg.types.builtins.FLOAT8,
  pg.types.builtins.NUMERIC,
]);

/** Two rows of one number and what leads to them. A wrong port may send anything, and without end. */
const MAX_ANSWER_BYTES = 1024 * 1024;
const LOOK_EVERY_MS = 20;

export interface SqlProbe {
  readonly url: string;
  readonly query: string;
  readonly timeoutMs: number;
  /** Called when the database says that it is an embedded one. From here on it serves the query alone, and cannot be interrupted. */
  readonly embedded?: () => void;
}

/** Errors: {@link ProbeFailure}. */
export async function readSql(
  { url, query, timeoutMs, embedded = () => undefined }: SqlProbe,
  signal: AbortSignal,
): Promise<number> {
  const target = parsePostgresTarget(url);
  if (typeof target === 'string') throw new ProbeFailure(`the url ${target}`);
  const socket = await socketTo(target.host, signal);
  const client = new pg.Client({
    ...clientConfig(target, 'spillway-probe'),
    stream: () => socket,
    // Numbers stay text until they are looked at.
    types: { getTypeParser: () => (text: string) => text },
  });
  // What ends the connection is told by the statement under way.
  client.on('error', () => {});
  // The server notices and rolls back; `client.end()` would wait for the statement under way.
  const end = () => void socket.destroy();
  const meter = setInterval(() => socket.bytesRead > MAX_ANSWER_BYTES && end(), LOOK_EVERY_MS);
  signal.addEventListener('abort', end, { once: true });
  try {
    signal.throwIfAborted();
    await client.connect();
    if (await begin(client, timeoutMs)) embedded();
    return await readOnce(client, query);
  } catch (error) {
    throw failureOf(error, socket);
  } finally {
    clearInterval(meter);
    signal.removeEventListener('abort', end);
    end();
  }
}

/** Looked up once, and connected to what was checked, whatever the name means by then. */
async function socketTo(host: string, signal: AbortSignal): Promise<Socket> {
  const socket = new Socket();
  if (isSocketFolder(host)) return socket;
  const lookup = pinnedTo(await resolveOnce(host, probeGuard, signal));
  const connect = socket.connect.bind(socket) as (options: TcpSocketConnectOpts) => Socket;
  socket.connect = (port: unknown) => connect({ port: port as number, host, lookup });
  return socket;
}

function failureOf(error: unknown, socket: Socket): OutboundFailure {
  if (error instanceof OutboundFailure) return error;
  if (socket.bytesRead > MAX_ANSWER_BYTES) return new ProbeFailure('the answer is longer than 1 MiB');
  return new ProbeFailure(sqlSentenceOf(error), { cause: error });
}

/** True: it is embedded. PGlite has no timers: once an idle limit has passed, its next statement never comes back. */
async function begin(client: pg.Client, timeoutMs: number): Promise<boolean> {
  const answers: unknown = await client.query(`begin transaction read only;
    select version() like '%PGlite%' as embedded, set_config('statement_timeout', '${timeoutMs}', true),
      set_config('idle_in_transaction_session_timeout', case when version() like '%PGlite%' then '0' else '${timeoutMs}' end, true)`);
  const [, answer] = answers as pg.QueryResult<{ embedded: string }>[];
  return answer?.rows[0]?.embedded === 't';
}

async function readOnce(client: pg.Client, query: string): Promise<number> {
  await client.query(oneStatement(`declare probe no scroll cursor for ${query}`));
  // No row yet, but what rows would look like.
  const { fields } = await client.query(oneStatement('fetch 0 from probe'));
  if (fields.length !== 1) throw new ProbeFailure(`the query has ${fields.length} columns, not one`);
  if (!numberTypes.has(fields[0]?.dataTypeID ?? 0))
    throw new ProbeFailure('the column of the query is no number');
  const { rows } = await client.query(oneStatement('fetch 2 from probe'));
  if (rows.length !== 1)
    throw new ProbeFailure(rows.length === 0 ? 'the query has no row' : 'the query has more than one row');
  const [text] = rows[0] as (string | null)[];
  if (text === null || text === undefined) throw new ProbeFailure('the answer of the query is null');
  const value = Number(text);
  if (!Number.isFinite(value)) throw new ProbeFailure('the answer of the query is not a finite number');
  await client.query('rollback');
  return value;
}

/** In the extended protocol a second statement is a syntax error. The types of the driver do not know the option. */
function oneStatement(text: string): pg.QueryArrayConfig {
  return { text, rowMode: 'array', queryMode: 'extended' } as pg.QueryArrayConfig;
}

/**
 * Of what PostgreSQL says only complaints about the query itself are passed on (class 42: syntax and names); others may quote data.
 */
function sqlSentenceOf(error: unknown): string {
  if (error instanceof Error && error.message === 'The server does not support SSL connections')
    return 'the database does not offer TLS';
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return sentenceOf(error);
  if (error.code.startsWith('42')) return `the database refused the query: ${error.message.slice(0, 200)}`;
  return sqlStates[error.code] ?? sqlStates[error.code.slice(0, 2)] ?? `the database answered ${error.code}`;
}

const sqlStates: Readonly<Record<string, string>> = {
  '25006': 'the query writes: a probe may only read',
  '57014': 'the query took longer than the probe may wait',
  '53': 'the database has no room for another connection',
  '3D': 'there is no such database',
  '28': 'the database does not admit the user',
};
