/**
 * Whether a database may be Spillway's: from what the server said, or why it said nothing. Decides; asks nothing.
 *
 * The server's own words are not passed on, they quote users and data; what is wrong is said in ours, with a code.
 */
import pg from 'pg';

/**
 * - `database_unreachable`: no answer, not now, or a replica (which may be promoted); the only one that may pass by itself.
 * - `database_denied`: the password, the user, TLS, or a right that is missing.
 * - `database_missing`: the server has no database of that name.
 * - `database_unsuitable`: too old, or of an encoding that does not hold every text.
 * - `database_foreign`: tables of our names that are not ours.
 * - `database_incomplete`: ours, with tables missing.
 * - `schema_newer`: migrated by a newer version.
 */
export type DatabaseCode =
  | 'database_unreachable'
  | 'database_denied'
  | 'database_missing'
  | 'database_unsuitable'
  | 'database_foreign'
  | 'database_incomplete'
  | 'schema_newer';

export interface Refusal {
  readonly code: DatabaseCode;
  /** Completes "the database x at y …". */
  readonly detail: string;
}

/** What one of the two databases has to be. */
export interface Expectation {
  readonly schema: string;
  /** The table that says which migrations have run. */
  readonly ledger: string;
  /** Of this code. */
  readonly version: number;
  /** All tables of that version, without partitions, each with the version that brought it. */
  readonly tables: readonly { readonly name: string; readonly since: number }[];
}

export interface Facts {
  /** As `server_version_num` has it: 150013. */
  readonly serverVersion: number;
  readonly replica: boolean;
  readonly encoding: string;
  /** In the schema, or where there is none in the database. */
  readonly mayCreate: boolean;
  /** Of the schema in question. */
  readonly tables: readonly { readonly name: string; readonly owned: boolean }[];
  /** Of the ledger; null where there is none, NaN where what bears its name cannot be read as one. */
  readonly version: number | null;
}

/** The oldest that is tested, and that PostgreSQL's own project still mends. */
const OLDEST_MAJOR = 15;

export function refusalOfFacts(facts: Facts, expected: Expectation): Refusal | null {
  const refused = (code: DatabaseCode, detail: string): Refusal => ({ code, detail });
  const major = Math.trunc(facts.serverVersion / 10_000);
  if (major < OLDEST_MAJOR)
    return refused('database_unsuitable', `is PostgreSQL ${major}: ${OLDEST_MAJOR} or later is needed`);
  // One that waits to be promoted, or a name that still leads to the old primary, is the right one soon.
  if (facts.replica)
    return refused(
      'database_unreachable',
      'is a replica, which only reads: name the server it follows, or promote it',
    );
  if (facts.encoding !== 'UTF8')
    return refused(
      'database_unsuitable',
      `has the encoding ${facts.encoding}, which cannot hold every text: UTF8 is needed`,
    );
  const names = new Set(facts.tables.map(({ name }) => name));
  const ours = expected.tables.filter(({ name }) => names.has(name));
  if (facts.version === null && ours.length > 0)
    return refused(
      'database_foreign',
      `has a table ${ours[0]?.name} that is not Spillway's: give it one of its own`,
    );
  if (Number.isNaN(facts.version))
    return refused(
      'database_foreign',
      `has a table ${expected.ledger} that is not Spillway's: give it one of its own`,
    );
  if (facts.version !== null && facts.version > expected.version)
    return refused(
      'schema_newer',
      `has schema ${facts.version}, this version of Spillway knows ${expected.version}: start the newer version`,
    );
  const known = facts.version ?? 0;
  const gone = expected.tables.find(({ name, since }) => since <= known && !names.has(name));
  if (gone !== undefined)
    return refused('database_incomplete', `has lost the table ${gone.name}: bring it back from a backup`);
  const ownNames = new Set(expected.tables.map(({ name }) => name));
  const others = facts.tables.find(({ name, owned }) => !owned && ownNames.has(name));
  if (others !== undefined)
    return refused(
      'database_denied',
      `has a table ${others.name} that belongs to another user than the URL's`,
    );
  if (!facts.mayCreate)
    return refused(
      'database_denied',
      'does not let the user create what is missing: make the user its owner',
    );
  return null;
}

export function refusalOfError(error: unknown): Refusal {
  const { code = '', message = '' } = error as { code?: string; message?: string };
  const refused = (kind: DatabaseCode, detail: string): Refusal => ({ code: kind, detail });
  if (!(error instanceof pg.DatabaseError)) {
    if (message.includes('does not support SSL')) return refused('database_denied', 'does not offer TLS');
    if (message.includes('client password must be a'))
      return refused('database_denied', 'asks for a password, and the URL has none');
    if (/CERT|SIGNED|ERR_TLS/.test(code))
      return refused('database_denied', `shows a certificate that is not trusted (${code})`);
    return refused('database_unreachable', `cannot be reached${code === '' ? '' : ` (${code})`}`);
  }
  if (code === '28P01') return refused('database_denied', 'does not accept the password');
  if (code.startsWith('28')) return refused('database_denied', 'does not admit the user');
  if (code === '42501')
    return refused('database_denied', 'does not give the user the rights it needs: make the user its owner');
  if (code === '3D000') return refused('database_missing', 'does not exist');
  return refused('database_unreachable', `cannot be asked now (${code})`);
}
