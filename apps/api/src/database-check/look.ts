/** Looks at a database on one connection, which is closed again. Nothing is changed. */
import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { nameOf } from '../postgres-target.ts';
import { type Expectation, type Facts, type Refusal, refusalOfError, refusalOfFacts } from './judge.ts';

const CONNECT_LIMIT_MS = 3_000;
const AGAIN_MS = 250;

export interface Looked {
  /** For people: where it is, and nothing that lets anybody in. */
  readonly name: string;
  readonly refusal: Refusal | null;
  /** It has nothing of its own yet, and is what the other of the two should be. */
  readonly isOther: boolean;
}

/** The table that says of the other of the two databases which migrations have run. */
type Ledger = Pick<Expectation, 'schema' | 'ledger'>;

/** What may pass is looked at again until `patienceMs` are over. */
export async function lookAtDatabase(
  url: string,
  expected: Expectation,
  other: Ledger,
  patienceMs: number,
): Promise<Looked> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    const looked = await lookOnce(url, expected, other);
    if (looked.refusal?.code !== 'database_unreachable' || performance.now() >= giveUpAt) return looked;
    await pause(AGAIN_MS);
  }
}

async function lookOnce(url: string, expected: Expectation, other: Ledger): Promise<Looked> {
  let client: pg.Client;
  try {
    client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: CONNECT_LIMIT_MS,
      query_timeout: CONNECT_LIMIT_MS,
      application_name: 'spillway-check',
    });
  } catch {
    // A file that the URL names (`sslrootcert`), or an escape in it.
    return {
      name: 'the URL',
      refusal: { code: 'database_denied', detail: 'cannot be used as it is written' },
      isOther: false,
    };
  }
  client.on('error', () => undefined);
  const name = nameOf(client);
  try {
    await client.connect();
    // One snapshot: beside somebody who migrates it is seen as it was before, or after. It ends with the connection.
    await client.query('begin transaction isolation level repeatable read read only');
    const facts = await factsOf(client, expected);
    const isOther = facts.version === null && (await holds(client, other));
    return { name, refusal: refusalOfFacts(facts, expected), isOther };
  } catch (error) {
    return { name, refusal: refusalOfError(error), isOther: false };
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface ServerRow {
  readonly version: number;
  readonly replica: boolean;
  readonly encoding: string;
  readonly in_database: boolean;
  /** Null: there is no such schema. */
  readonly in_schema: boolean | null;
}

async function factsOf(client: pg.Client, expected: Expectation): Promise<Facts> {
  const { schema } = expected;
  const server = await client.query<ServerRow>(`
    select current_setting('server_version_num')::int as version, pg_is_in_recovery() as replica,
      current_setting('server_encoding') as encoding,
      has_database_privilege(current_database(), 'CREATE') as in_database,
      (select has_schema_privilege(oid, 'CREATE') from pg_namespace where nspname = ${pg.escapeLiteral(schema)}) as in_schema`);
  const [row] = server.rows as [ServerRow];
  const tables = await client.query<{ name: string; owned: boolean }>(
    `select c.relname as name, pg_has_role(c.relowner, 'USAGE') as owned
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${pg.escapeLiteral(schema)} and c.relkind in ('r', 'p') and not c.relispartition`,
  );
  const has = tables.rows.some(({ name }) => name === expected.ledger);
  return {
    serverVersion: row.version,
    replica: row.replica,
    encoding: row.encoding,
    mayCreate: row.in_schema ?? row.in_database,
    tables: tables.rows,
    version: has ? await versionOf(client, schema, expected) : null,
  };
}

async function holds(client: pg.Client, { schema, ledger }: Ledger): Promise<boolean> {
  const { rows } = await client.query<{ holds: boolean }>(
    `select exists (select from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${pg.escapeLiteral(schema)} and c.relname = ${pg.escapeLiteral(ledger)}) as holds`,
  );
  return rows[0]?.holds ?? false;
}

/** The highest number in the ledger, whatever its column is called. */
async function versionOf(client: pg.Client, schema: string, { ledger }: Expectation): Promise<number> {
  const place = `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(ledger)}`;
  try {
    const { rows } = await client.query<{ version: number | null }>(
      `select max(coalesce(to_jsonb(l) ->> 'version', to_jsonb(l) ->> 'number')::int) as version from ${place} l`,
    );
    return rows[0]?.version ?? Number.NaN;
  } catch (error) {
    // Something else than a number.
    if (error instanceof pg.DatabaseError && error.code?.startsWith('22')) return Number.NaN;
    throw error;
  }
}
