import pg from 'pg';
import { describe, expect, it } from 'vitest';
import {
  type Expectation,
  type Facts,
  refusalOfError,
  refusalOfFacts,
} from '../../src/database-check/judge.ts';

const expected: Expectation = {
  schema: 'spillway',
  ledger: 'migrations',
  version: 2,
  tables: [
    { name: 'a', since: 1 },
    { name: 'b', since: 2 },
  ],
};
const owned = (...names: string[]) => names.map((name) => ({ name, owned: true }));
const empty: Facts = {
  serverVersion: 150_013,
  replica: false,
  encoding: 'UTF8',
  mayCreate: true,
  tables: [],
  version: null,
};
const migrated: Facts = { ...empty, tables: owned('migrations', 'a', 'b'), version: 2 };

describe('a database that answers', () => {
  it.each<[string, Facts]>([
    ['is empty', empty],
    ['has tables of others, of other names', { ...empty, tables: [{ name: 'orders', owned: false }] }],
    ['is migrated', migrated],
    ['is of an earlier version', { ...migrated, tables: owned('migrations', 'a'), version: 1 }],
    ['is of PostgreSQL 18', { ...migrated, serverVersion: 180_001 }],
  ])('is taken when it %s', (_, facts) => {
    expect(refusalOfFacts(facts, expected)).toBeNull();
  });

  it.each<[string, Facts, string, RegExp]>([
    [
      'is too old',
      { ...empty, serverVersion: 140_020 },
      'database_unsuitable',
      /is PostgreSQL 14: 15 or later/,
    ],
    ['is a replica', { ...migrated, replica: true }, 'database_unreachable', /only reads.*promote it/],
    ['holds ASCII', { ...empty, encoding: 'SQL_ASCII' }, 'database_unsuitable', /SQL_ASCII.*UTF8 is needed/],
    [
      'has a table of our name',
      { ...empty, tables: owned('b') },
      'database_foreign',
      /table b .*not Spillway/,
    ],
    [
      'has a ledger that is none',
      { ...empty, tables: owned('migrations'), version: Number.NaN },
      'database_foreign',
      /table migrations .*not Spillway/,
    ],
    ['is newer', { ...migrated, version: 3 }, 'schema_newer', /schema 3, .*knows 2/],
    [
      'lost a table',
      { ...migrated, tables: owned('migrations', 'a') },
      'database_incomplete',
      /lost the table b/,
    ],
    [
      'lost a table before it was upgraded',
      { ...migrated, tables: owned('migrations'), version: 1 },
      'database_incomplete',
      /lost the table a/,
    ],
    [
      'belongs to somebody else',
      { ...migrated, tables: [...owned('migrations', 'a'), { name: 'b', owned: false }] },
      'database_denied',
      /table b .*another user/,
    ],
    ['may not be written', { ...empty, mayCreate: false }, 'database_denied', /does not let the user create/],
  ])('is refused when it %s', (_, facts, code, detail) => {
    expect(refusalOfFacts(facts, expected)).toEqual({ code, detail: expect.stringMatching(detail) });
  });
});

describe('a database that does not let us in', () => {
  const answered = (code: string) =>
    Object.assign(new pg.DatabaseError('user "canary"', 1, 'error'), { code });
  const broken = (code: string, message = '') => Object.assign(new Error(message), { code });

  it.each<[unknown, string, RegExp]>([
    [answered('28P01'), 'database_denied', /password/],
    [answered('28000'), 'database_denied', /admit the user/],
    [answered('42501'), 'database_denied', /rights it needs/],
    [answered('3D000'), 'database_missing', /does not exist/],
    [answered('57P03'), 'database_unreachable', /cannot be asked now \(57P03\)/],
    [answered('53300'), 'database_unreachable', /cannot be asked now \(53300\)/],
    [broken('ECONNREFUSED'), 'database_unreachable', /cannot be reached \(ECONNREFUSED\)/],
    [broken('ENOTFOUND'), 'database_unreachable', /cannot be reached \(ENOTFOUND\)/],
    [new Error('timeout expired'), 'database_unreachable', /cannot be reached$/],
    [broken('SELF_SIGNED_CERT_IN_CHAIN'), 'database_denied', /certificate/],
    [broken('ERR_TLS_CERT_ALTNAME_INVALID'), 'database_denied', /certificate/],
    [new Error('The server does not support SSL connections'), 'database_denied', /TLS/],
    [
      new Error('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'),
      'database_denied',
      /the URL has none/,
    ],
  ])('%s is %s', (error, code, detail) => {
    const refusal = refusalOfError(error);
    expect(refusal).toEqual({ code, detail: expect.stringMatching(detail) });
    expect(refusal.detail).not.toContain('canary');
  });
});
