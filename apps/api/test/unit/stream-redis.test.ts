import { describe, expect, it } from 'vitest';
import { addressOf } from '../../src/adapters/stream-redis/address.ts';
import {
  checkServer,
  objections,
  type RedisDanger,
  ServerSettingsError,
} from '../../src/adapters/stream-redis/server-check.ts';
import { translated } from '../../src/adapters/stream-redis/translate.ts';
import { StreamError } from '../../src/data-plane/ports.ts';

describe('the address of a Redis server', () => {
  it('is read from its URL, and nothing but the host is needed', () => {
    expect(addressOf('redis://localhost')).toEqual({
      host: 'localhost',
      port: 6379,
      username: null,
      password: null,
      database: 0,
      tls: false,
      shown: 'localhost:6379',
      reach: 'local',
    });
    expect(addressOf('valkeys://spill:p%40ss%2Fw%23rd@[2001:db8::1]:7000/3')).toMatchObject({
      host: '2001:db8::1',
      port: 7000,
      username: 'spill',
      password: 'p@ss/w#rd',
      database: 3,
      tls: true,
      shown: '[2001:db8::1]:7000',
      reach: 'network',
    });
  });

  it.each([
    ['http://host', /must begin with redis:/],
    ['redis://', /names no host/],
    ['redis://host/main', /database by its number/],
    ['redis://host/1?password=canary', /nothing after the database/],
    ['redis://:can#ary@host', /password/],
    ['redis://:can%zzary@host', /percent-encoding/],
    ['redis://host:notaport', /is not a URL/],
    ['redis://u:can@ry/can1ary@host', /behind its host: .*%40/],
  ])('%s is refused, and not repeated', (url, says) => {
    expect(() => addressOf(url)).toThrow(RangeError);
    expect(() => addressOf(url)).toThrow(says);
    expect(() => addressOf(url)).not.toThrow(/can.*ary/);
  });
});

describe('a Redis server', () => {
  const good = {
    evictionPolicy: 'noeviction',
    appendOnly: true,
    snapshots: false,
  };
  it.each<[string, Partial<Parameters<typeof objections>[0]>, RedisDanger[], RegExp[]]>([
    ['appends to its file', {}, [], []],
    ['saves snapshots only', { appendOnly: false, snapshots: true }, [], []],
    ['evicts', { evictionPolicy: 'volatile-ttl' }, [], [/maxmemory-policy is volatile-ttl/]],
    ['evicts, and is accepted', { evictionPolicy: 'volatile-ttl' }, ['eviction'], []],
    [
      'evicts, and another danger is accepted',
      { evictionPolicy: 'volatile-ttl' },
      ['persistence'],
      [/evicted/],
    ],
    ['does not say what it evicts', { evictionPolicy: null }, [], [/maxmemory-policy is unknown/]],
    ['forgets', { appendOnly: false }, [], [/appendonly is no and its save is empty/]],
    ['does not say whether it saves', { appendOnly: false, snapshots: null }, [], [/save is unknown/]],
    [
      'does both',
      { appendOnly: false, evictionPolicy: 'allkeys-lru' },
      [],
      [/maxmemory-policy/, /appendonly/],
    ],
  ])('that %s', (_, differs, accepted, expected) => {
    const found = objections({ ...good, ...differs }, accepted);
    expect(found).toHaveLength(expected.length);
    for (const [index, says] of expected.entries()) expect(found[index]).toMatch(says);
  });

  const dangers: RedisDanger[] = ['eviction', 'persistence'];
  const check = (version: string) => {
    const redis = { info: async () => `redis_version:${version}\r\n`, config: async () => [] };
    return checkServer(redis as never, addressOf('redis://db.example:6380'), dangers);
  };
  it('of Valkey passes', () => check('7.2.4'));
  it('that is too old is refused, whatever is accepted, and not for its settings', async () => {
    const refused = check('6.2.14');
    await expect(refused).rejects.toMatchObject({
      code: 'stream_refused',
      message: expect.stringContaining('version 6.2.14'),
    });
    await expect(refused).rejects.not.toBeInstanceOf(ServerSettingsError);
  });
});

describe('what a Redis server says', () => {
  const address = addressOf('redis://:can%40ry@db.example:6380');
  it.each<[StreamError['code'], string]>([
    [
      'stream_full',
      "OOM command not allowed when used memory > 'maxmemory'. script: abc, on @user_script:9.",
    ],
    ['stream_denied', 'WRONGPASS invalid username-password pair or user is disabled.'],
    ['stream_denied', 'NOAUTH Authentication required.'],
    ['stream_denied', "NOPERM this user has no permissions to run the 'evalsha' command"],
    ['stream_denied', "ERR The user executing the script can't run this command or subcommand script: ed4c"],
    [
      'stream_denied',
      "ERR ACL failure in script: User spillway has no permissions to run the 'hmget' command",
    ],
    ['stream_unavailable', "READONLY You can't write against a read only replica."],
    ['stream_unavailable', 'LOADING Redis is loading the dataset in memory'],
    ['stream_unavailable', 'BUSY Redis is busy running a script.'],
    [
      'stream_unavailable',
      'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to.',
    ],
    ['stream_unavailable', 'CLUSTERDOWN Hash slot not served'],
    ['stream_unavailable', 'ERR max number of clients reached'],
    ['stream_refused', 'MOVED 3999 10.0.0.7:6381'],
    ['stream_refused', "ERR unknown command 'xautoclaim'"],
    ['stream_refused', 'ERR DB index is out of range'],
    ['stream_corrupt', 'WRONGTYPE Operation against a key holding the wrong kind of value'],
    ['stream_corrupt', 'ERR The ID specified in XADD is equal or smaller than the target stream top item'],
    ['stream_unavailable', 'connect ECONNREFUSED 10.0.0.7:6380'],
    ['stream_unavailable', 'getaddrinfo ENOTFOUND db.example'],
    ['stream_unavailable', 'self-signed certificate in certificate chain'],
    ['stream_unavailable', 'Connection is closed.'],
  ])('%s: %s', (code, says) => {
    const error = translated(new Error(says), address);
    expect(error).toMatchObject({ name: 'StreamError', code });
    expect(error.message).toMatch(/^the Redis server db\.example:6380 /);
    expect(error.cause).toBeUndefined();
  });

  it.each([
    'write EPROTO: ssl3_get_record:wrong version number',
    'Client network socket disconnected before secure TLS connection was established',
  ])('of one without TLS is not laid to certificates: %s', (said) => {
    expect(translated(new Error(said), address).message).toContain(
      'speaks no TLS there (then the URL begins with redis://)',
    );
  });

  it('is told without the password, however it is written', () => {
    const error = translated(new Error('ERR beginning with: can@ry can%40ry'), address);
    expect(error.message).toContain('[redacted] [redacted]');
    expect(error.message).not.toMatch(/can(@|%40)ry/);
  });

  it('of another kind is named as such', () => {
    const said = new Error('Protocol error, got "H" as reply type byte. Please report this.');
    expect(translated(said, address)).toMatchObject({
      code: 'stream_unavailable',
      message: expect.stringMatching(
        /does not answer as Redis does: .* \(Protocol error, got "H" as reply type byte\.\)$/,
      ),
    });
  });

  it('several addresses that were tried are all told, and what is an error of the port stays as it is', () => {
    const tried = new AggregateError([
      new Error('connect ECONNREFUSED ::1:6380'),
      new Error('connect ETIMEDOUT'),
    ]);
    expect(translated(tried, address).message).toMatch(/::1:6380; connect ETIMEDOUT/);
    const own = new StreamError('gap', 'gone');
    expect(translated(own, address)).toBe(own);
  });
});
