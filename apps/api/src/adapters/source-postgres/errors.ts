/** The one place where what PostgreSQL and its driver say becomes a {@link SourceError}. Their own words are not passed on: they quote users and data. */
import pg from 'pg';
import { SourceError } from '../../data-plane/ports.ts';
import { nameOf, type PostgresTarget } from '../../postgres-target.ts';

/** Of `table`, with its schema. Anything else than an answer of the database or of the network is a fault of ours, and is left as it is. */
export function sourceErrorOf(error: unknown, target: PostgresTarget, table: string): unknown {
  if (error instanceof SourceError || !(error instanceof Error)) return error;
  const { code = '' } = error as NodeJS.ErrnoException;
  const where = nameOf(target);
  const as = (kind: SourceError['code'], detail: string) =>
    new SourceError(kind, detail, null, { cause: withoutWords(code) });
  if (!(error instanceof pg.DatabaseError)) {
    if (error instanceof TypeError || error instanceof RangeError) return error;
    if (error.message === 'The server does not support SSL connections')
      return as('source_denied', `${where} does not offer TLS`);
    if (code !== '') return as('source_unavailable', `${where} cannot be reached (${code})`);
    const said = /time ?out/.test(error.message) ? 'does not answer in time' : 'has ended the connection';
    return as('source_unavailable', `${where} ${said}: a PostgreSQL has to listen there`);
  }
  if (code === '28P01') return as('source_denied', `${where} does not accept the password`);
  if (code.startsWith('28')) return as('source_denied', `${where} does not admit the user`);
  if (code === '42501') return as('source_denied', `${where} does not let the user read ${table}`);
  if (code === '3D000') return as('source_missing', `${where} does not exist`);
  if (code === '42P01') return as('source_missing', `${where} has no table ${table} any more`);
  if (code === '57014') return as('source_unavailable', `${where} took longer than a statement may`);
  if (code.startsWith('42'))
    return as('source_schema', `${table} in ${where} is not what it was when it was looked at (${code})`);
  return as('source_unavailable', `${where} answered ${code}`);
}

function withoutWords(code: string): Error {
  return new Error(code === '' ? 'the connection failed' : code);
}
