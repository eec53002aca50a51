import { beforeEach, describe, expect, test } from 'vitest';
import { createAttempts } from '../../src/control-plane/access/attempts.ts';
import { mayAccess } from '../../src/control-plane/access/principal.ts';
import { redact, redactText } from '../../src/control-plane/access/redaction.ts';
import { answersSeal } from '../../src/control-plane/access/seal.ts';
import { canonicalJson } from '../../src/control-plane/audit/canonical-json.ts';
import { genesisHash, rowHash } from '../../src/control-plane/audit/chain.ts';
import { createChanges } from '../../src/control-plane/changes.ts';
import type { Change } from '../../src/control-plane/context.ts';
import { decodeCursor, encodeCursor } from '../../src/control-plane/http/cursor.ts';
import { hostsOf } from '../../src/control-plane/http/plugins/host.ts';
import { isUnreachable } from '../../src/control-plane/http/plugins/unreachable.ts';
import { createRing } from '../../src/control-plane/http/sse/ring.ts';

describe('canonical JSON', () => {
  test('the order in which keys were written does not matter, that of lists does', () => {
    expect(canonicalJson({ b: { d: 1, c: [2, 1] }, a: undefined })).toBe('{"b":{"c":[2,1],"d":1}}');
    expect(canonicalJson(undefined)).toBe('null');
  });
});

test('served are the loopback names and the very address listened on, at its port', () => {
  const at = (address: string, family: string, port: number) => [
    ...(hostsOf({ address, family, port }) ?? []),
  ];
  const loopback = ['127.0.0.1:7878', 'localhost:7878', '[::1]:7878'];
  expect(at('127.0.0.1', 'IPv4', 7878)).toEqual(loopback);
  expect(at('192.0.2.7', 'IPv4', 7878)).toEqual([...loopback, '192.0.2.7:7878']);
  expect(at('2001:db8::7', 'IPv6', 80)).toContain('[2001:db8::7]');
  expect(hostsOf(null)).toBeNull();
});

test('the hash of an audit row covers each of its fields', () => {
  const row = {
    sequence: 1,
    at: '2001-01-01T00:00:00.000Z',
    actor: 'a',
    address: null,
    action: 'x.y',
    target: 't',
    reason: null,
    before: null,
    after: { a: 1 },
    previousHash: genesisHash,
  };
  const changed = {
    sequence: 2,
    at: '2001-01-01T00:00:00.001Z',
    actor: 'b',
    address: '::1',
    action: 'x.z',
    target: 'u',
    reason: '',
    before: {},
    after: { a: 2 },
    previousHash: 'f'.repeat(64),
  };
  const hashes = Object.entries(changed).map(([field, value]) => rowHash({ ...row, [field]: value }));
  expect(new Set([rowHash(row), ...hashes]).size).toBe(Object.keys(changed).length + 1);
});

describe('redaction', () => {
  test.each([
    ['postgres://user:hunter2@host/db', 'postgres://user:[redacted]@host/db'],
    ['redis://:hunter2@cache:6379', 'redis://:[redacted]@cache:6379'],
    ['two: a://u:one@h b://u:two@h', 'two: a://u:[redacted]@h b://u:[redacted]@h'],
    ['http://h/#code=abcdef', 'http://h/#code=[redacted]'],
    ['http://h/?a=1&token=abcdef&b=2', 'http://h/?a=1&token=[redacted]&b=2'],
    ['Authorization: Bearer abcdefghijkl', 'Authorization: Bearer [redacted]'],
    ['at 10:30 user@example.com wrote', 'at 10:30 user@example.com wrote'],
  ])('%s', (text, expected) => expect(redactText(text)).toBe(expected));

  test('fields by their names, at any depth; what only looks like one stays', () => {
    expect(
      redact({
        config: { url: 'postgres://u:p@h/d', password: 'x', nested: [{ apiKey: 'y' }] },
        code: 'source_missing',
        fencingToken: 7,
        token: null,
      }),
    ).toEqual({
      config: {
        url: 'postgres://u:[redacted]@h/d',
        password: '[redacted]',
        nested: [{ apiKey: '[redacted]' }],
      },
      code: 'source_missing',
      fencingToken: 7,
      token: null,
    });
  });
});

describe('cursors', () => {
  test('come back as they went out', () =>
    expect(decodeCursor(encodeCursor([5, 'x']), ['number', 'string'])).toEqual([5, 'x']));
  test.each([
    '',
    'nonsense',
    encodeCursor(['5']),
    encodeCursor([5, 6]),
    encodeCursor([1e300]),
    encodeCursor([1.5]),
    Buffer.from('{}').toString('base64url'),
  ])('%j is refused', (cursor) => {
    expect(() => decodeCursor(cursor, ['number'])).toThrow('not one this list gave out');
  });
  test('NUL is refused in texts', () =>
    expect(() => decodeCursor(encodeCursor(['\0']), ['string'])).toThrow());
});

test('ranks: a worker is not below a viewer but beside everyone', () => {
  const roles = ['viewer', 'operator', 'admin', 'worker'] as const;
  const reach = Object.fromEntries(
    (['public', 'viewer', 'operator', 'admin', 'worker'] as const).map((access) => [
      access,
      roles.filter((role) => mayAccess(role, access)),
    ]),
  );
  expect(reach).toEqual({
    public: roles,
    viewer: ['viewer', 'operator', 'admin'],
    operator: ['operator', 'admin'],
    admin: ['admin'],
    worker: ['worker'],
  });
});

describe('failed attempts', () => {
  let now = 0;
  beforeEach(() => {
    now = 0;
  });
  const attempts = () => createAttempts({ now: () => now, monotonic: () => now });

  test('ten in a row, then one every six seconds; success forgets them', () => {
    const counted = attempts();
    for (let i = 0; i < 10; i++) {
      expect(counted.waitMs('a')).toBe(0);
      counted.failed('a');
    }
    expect(counted.waitMs('a')).toBe(6_000);
    expect(counted.waitMs('b')).toBe(0);
    now += 6_000;
    expect(counted.waitMs('a')).toBe(0);
    counted.failed('a');
    expect(counted.waitMs('a')).toBe(6_000);
    counted.succeeded('a');
    expect(counted.waitMs('a')).toBe(0);
  });
});

describe('the ring of events', () => {
  const change = (at: number) => ({ event: 'telemetry', data: { at } }) as unknown as Change;
  const dataOf = (frame: Buffer) => JSON.parse(/^data: (.*)$/m.exec(frame.toString())?.[1] ?? 'null');

  test('knows what came after an id, until it has forgotten', () => {
    const ring = createRing(1_000, 3);
    const ids = [1, 2, 3, 4, 5].map((at) => ring.add(change(at)).id);
    const after = (id: string) => ring.after(id)?.map((entry) => dataOf(entry.frameFor('admin')).at) ?? null;
    expect(ids.map(after)).toEqual([null, [3, 4, 5], [4, 5], [5], []]);
  });

  test('does not take an id of another start, or of the future, for its own', () => {
    const ring = createRing(1_000, 3);
    const { id } = ring.add(change(1));
    const other = createRing(2_000, 3);
    other.add(change(1));
    expect(other.after(id)).toBeNull();
    expect(ring.after(id.replace(/\d+$/, '2'))).toBeNull();
  });

  test('makes an event into text once per role', () => {
    let asked = 0;
    const entry = createRing(0, 3).add({
      event: 'telemetry',
      data: {
        toJSON: () => {
          asked += 1;
          return {};
        },
      },
    } as unknown as Change);
    const frames = [
      entry.frameFor('admin'),
      entry.frameFor('admin'),
      entry.frameFor('viewer'),
      entry.frameFor('viewer'),
    ];
    expect(frames[0]).toBe(frames[1]);
    expect(asked).toBe(2);
  });
});

test('a listener that throws harms neither the publisher nor the others', () => {
  const heard: string[] = [];
  const failures: unknown[] = [];
  const changes = createChanges((error) => failures.push(error));
  changes.subscribe(() => {
    throw new Error('mine');
  });
  const leave = changes.subscribe(() => heard.push('second'));
  changes.publish({} as Change);
  leave();
  changes.publish({} as Change);
  expect(heard).toEqual(['second']);
  expect(failures).toHaveLength(2);
});

test('a sealed answer opens with the same admin token alone', () => {
  const answer = { token: 'spw_secret' };
  const sealed = answersSeal('one'.repeat(11)).close(answer);
  expect(JSON.stringify(sealed)).not.toContain('spw_secret');
  expect(answersSeal('one'.repeat(11)).open(sealed)).toEqual(answer);
  expect(answersSeal('two'.repeat(11)).open(sealed)).toBeUndefined();
});

describe('a database that is not there', () => {
  const wrapped = (cause: unknown) => new Error('Failed query', { cause });
  const coded = (code: string, more = {}) => Object.assign(new Error(code), { code, ...more });
  test.each([
    coded('ECONNREFUSED'),
    coded('57P01'),
    coded('08006'),
    coded('25006'),
    coded('ENOENT', { syscall: 'connect' }),
    new Error('Connection terminated unexpectedly'),
    coded('store_unavailable'),
  ])('%s', (error) => expect(isUnreachable(wrapped(error))).toBe(true));
  test.each([coded('23505'), coded('ENOENT', { syscall: 'open' }), new Error('anything else'), 'no error'])(
    'not: %s',
    (error) => expect(isUnreachable(wrapped(error))).toBe(false),
  );
});
