/** The deciding parts of probes: turns in virtual time, what may be defined, where a probe may go, and what is shown of it. */
import type { CreateProbe } from '@spillway/shared/api/governor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isLinkLocal } from '../../src/control-plane/outbound/address.ts';
import { sentenceOf } from '../../src/control-plane/outbound/failure.ts';
import { shownUrl } from '../../src/control-plane/outbound/shown-url.ts';
import { complaintsAbout } from '../../src/control-plane/probes/definition-check.ts';
import { ProbeFailure } from '../../src/control-plane/probes/failure.ts';
import { isJsonPointer, pointedAt } from '../../src/control-plane/probes/json-pointer.ts';
import { ProbeSchedule } from '../../src/control-plane/probes/schedule.ts';
import { clientConfig, parsePostgresTarget } from '../../src/postgres-target.ts';

describe('turns', () => {
  /** Plays attempts of given lengths; tells when each began. */
  function play(probes: { id: string; intervalMs: number; takesMs: number }[], untilMs: number) {
    const schedule = new ProbeSchedule();
    schedule.set(probes, 0);
    const running = new Map<string, number>();
    const begins = new Map<string, number[]>(probes.map(({ id }) => [id, []]));
    let most = 0;
    for (let now = 0; now <= untilMs; now += 10) {
      for (const [id, endMs] of running) {
        if (endMs > now) continue;
        running.delete(id);
        schedule.ended(id, now);
      }
      for (let id = schedule.begin(now); id !== null; id = schedule.begin(now)) {
        if (running.has(id)) throw new Error(`${id} runs already`);
        begins.get(id)?.push(now);
        running.set(id, now + (probes.find((probe) => probe.id === id)?.takesMs ?? 0));
        most = Math.max(most, running.size);
      }
    }
    return { begins, most };
  }

  test('each at its interval, from beginning to beginning', () => {
    const { begins } = play([{ id: 'a', intervalMs: 1_000, takesMs: 300 }], 3_500);
    expect(begins.get('a')).toEqual([0, 1_000, 2_000, 3_000]);
  });

  test('never two at once of one, and a missed turn is not made up for', () => {
    const { begins } = play([{ id: 'a', intervalMs: 1_000, takesMs: 2_500 }], 8_000);
    expect(begins.get('a')).toEqual([0, 2_500, 5_000, 7_500]);
  });

  test('at most four at once', () => {
    const probes = Array.from({ length: 12 }, (_, i) => ({ id: `p${i}`, intervalMs: 1_000, takesMs: 900 }));
    expect(play(probes, 20_000).most).toBe(4);
  });

  test('any number that hang hold up each other, not those that answer', () => {
    const hanging = Array.from({ length: 20 }, (_, i) => ({
      id: `h${i}`,
      intervalMs: 1_000,
      takesMs: 5_000,
    }));
    const quick = Array.from({ length: 4 }, (_, i) => ({ id: `q${i}`, intervalMs: 1_000, takesMs: 20 }));
    const { begins } = play([...quick, ...hanging], 200_000);
    for (const { id } of quick) {
      const times = begins.get(id) ?? [];
      expect(times[0]).toBeLessThanOrEqual(100);
      expect(Math.max(...times.slice(1).map((at, i) => at - (times[i] ?? 0)))).toBeLessThanOrEqual(1_100);
    }
    for (const { id } of hanging) expect(begins.get(id)?.length).toBeGreaterThan(1);
  });

  test('one that has never answered goes before those known to be slow', () => {
    const schedule = new ProbeSchedule();
    const slow = ['a', 'b', 'c'].map((id) => ({ id, intervalMs: 1_000 }));
    schedule.set(slow, 0);
    for (const [began, ended] of [
      [0, 5_000],
      [5_000, 10_000],
    ] as const) {
      while (schedule.begin(began) !== null);
      for (const { id } of slow) schedule.ended(id, ended);
    }
    schedule.set([...slow, { id: 'new', intervalMs: 1_000 }], 20_000);
    expect(schedule.begin(20_000)).toBe('new');
  });

  test('one that is removed while it runs takes its place with it', () => {
    const schedule = new ProbeSchedule();
    schedule.set([{ id: 'a', intervalMs: 1_000 }], 0);
    expect(schedule.begin(0)).toBe('a');
    schedule.set([], 10);
    schedule.ended('a', 20);
    expect(schedule.begin(5_000)).toBeNull();
    expect(schedule.nextDueMs(5_000)).toBeNull();
  });

  test('one that is due and may not begin does not hide the next that will be', () => {
    const schedule = new ProbeSchedule();
    const hanging = ['a', 'b', 'c'].map((id) => ({ id, intervalMs: 1_000 }));
    schedule.set([{ id: 'quick', intervalMs: 5_000 }, ...hanging], 0);
    expect([schedule.begin(0), schedule.begin(0), schedule.begin(0)]).toEqual(['quick', 'a', null]);
    schedule.ended('quick', 100);
    expect([schedule.begin(100), schedule.begin(100)]).toEqual(['b', null]);
    expect(schedule.nextDueMs(100)).toBe(5_000);
  });

  test('a suspended one never begins again, nor is it waited for; one made anew does', () => {
    const schedule = new ProbeSchedule();
    schedule.set([{ id: 'a', intervalMs: 1_000 }], 0);
    schedule.begin(0);
    schedule.suspend('a');
    schedule.ended('a', 10);
    schedule.set([{ id: 'a', intervalMs: 1_000 }], 20);
    expect(schedule.nextDueMs(20)).toBeNull();
    expect(schedule.begin(5_000)).toBeNull();
    schedule.set([{ id: 'b', intervalMs: 1_000 }], 5_000);
    expect(schedule.begin(5_000)).toBe('b');
  });

  test('a definition read again keeps its turn', () => {
    const schedule = new ProbeSchedule();
    schedule.set([{ id: 'a', intervalMs: 1_000 }], 0);
    schedule.begin(0);
    schedule.ended('a', 10);
    schedule.set([{ id: 'a', intervalMs: 1_000 }], 20);
    expect(schedule.nextDueMs(20)).toBe(1_000);
  });
});

const http: CreateProbe = {
  title: 'Queue',
  kind: 'http_json',
  url: 'http://127.0.0.1:9/metrics',
  pointer: '/queue/length',
  target: 10,
  worseWhen: 'above',
  failMode: 'bad',
  intervalMs: 5_000,
  timeoutMs: 1_000,
};
const { pointer: _, ...asked } = http;
const sql: CreateProbe = { ...asked, kind: 'sql', url: 'postgres://ada:pw@127.0.0.1/x', query: 'select 1' };
const promql: CreateProbe = { ...asked, kind: 'promql', url: 'http://127.0.0.1:9090', query: 'up' };

describe('definitions', () => {
  test.each([
    ['http_json', http],
    ['http_json of the whole document', { ...http, pointer: '' }],
    ['sql', sql],
    ['sql with null for what it does not use', { ...sql, pointer: null }],
    ['sql through a socket', { ...sql, url: 'postgres://postgres@localhost/postgres?host=%2Frun%2Fpg' }],
    ['promql', promql],
    ['loopback and private addresses', { ...promql, url: 'https://[::1]:9090/prom?tenant=1' }],
    ['a timeout as long as the interval', { ...http, timeoutMs: 5_000 }],
  ])('%s may be defined', (_, body) => {
    expect(complaintsAbout(body)).toEqual([]);
  });

  test.each<[string, CreateProbe, string]>([
    ['sql without a query', { ...sql, query: null }, '/query'],
    ['sql with a blank query', { ...sql, query: ' \n' }, '/query'],
    ['promql without a query', { ...asked, kind: 'promql' }, '/query'],
    ['http_json without a pointer', { ...asked }, '/pointer'],
    ['http_json with null for a pointer', { ...http, pointer: null }, '/pointer'],
    ['http_json with a query', { ...http, query: 'select 1' }, '/query'],
    ['sql with a pointer', { ...sql, pointer: '/x' }, '/pointer'],
    ['a pointer without its slash', { ...http, pointer: 'queue' }, '/pointer'],
    ['a pointer with a broken escape', { ...http, pointer: '/a~2' }, '/pointer'],
    ['a timeout longer than the interval', { ...http, timeoutMs: 5_001 }, '/timeoutMs'],
    ['no url', { ...http, url: 'queue' }, '/url'],
    ['a file', { ...http, url: 'file:///etc/passwd' }, '/url'],
    ['postgres for http_json', { ...http, url: 'postgres://127.0.0.1/x' }, '/url'],
    ['http for sql', { ...sql, url: 'http://127.0.0.1/x' }, '/url'],
    ['a parameter that reads a file', { ...sql, url: 'postgres://h/x?sslrootcert=/etc/passwd' }, '/url'],
    ['an sslmode that is none', { ...sql, url: 'postgres://h/x?sslmode=maybe' }, '/url'],
    ['a port that is none', { ...sql, url: 'postgres://h/x?port=70000' }, '/url'],
    ['a broken escape in the password', { ...http, url: 'http://u:%zz@h/' }, '/url'],
    ['a broken escape in the password, sql', { ...sql, url: 'postgres://u:%zz@h/x' }, '/url'],
    ['a password that ends the host early', { ...http, url: 'http://u:p@ss/passwd@h/' }, '/url'],
    ['a password that ends the host early, sql', { ...sql, url: 'postgres://u:p@ss/passwd@h/x' }, '/url'],
    ['the metadata service', { ...http, url: 'http://169.254.169.254/latest' }, '/url'],
    ['the metadata service in decimal', { ...http, url: 'http://2852039166/' }, '/url'],
    ['the metadata service inside IPv6', { ...http, url: 'http://[::ffff:169.254.169.254]/' }, '/url'],
    ['a link-local database', { ...sql, url: 'postgres://[fe80::1]/x' }, '/url'],
    ['a link-local database by parameter', { ...sql, url: 'postgres://h/x?host=169.254.1.1' }, '/url'],
  ])('%s is refused at its place', (_, body, pointer) => {
    const complaints = complaintsAbout(body);
    expect(complaints.map((complaint) => complaint.pointer)).toEqual([pointer]);
    expect(JSON.stringify(complaints)).not.toContain('passwd');
  });
});

test.each([
  ['169.254.0.1', true],
  ['169.255.0.1', false],
  ['127.0.0.1', false],
  ['10.0.0.1', false],
  ['fe80::1', true],
  ['fe80::1%eth0', true],
  ['febf::1', true],
  ['fec0::1', false],
  ['::1', false],
  ['::ffff:a9fe:a9fe', true],
  ['::ffff:10.0.0.1', false],
  ['fd00:ec2::254', true],
  ['fd00:ec2::253', false],
  ['example.com', false],
])('%s is link-local: %s', (address, expected) => {
  expect(isLinkLocal(address)).toBe(expected);
});

describe('what is shown of a url', () => {
  test.each([
    ['http://ada:secret@h:9/p?token=secret&a=secret#secret', 'http://h:9/p?token=[redacted]&a=[redacted]'],
    ['https://secret@h/', 'https://h/'],
    ['postgres://ada:secret@h/db?password=secret', 'postgres://h/db?password=[redacted]'],
    ['http://h/?secret', 'http://h/?[redacted]'],
    ['nothing of the kind', '[redacted]'],
  ])('%s', (url, shown) => {
    expect(shownUrl(url)).toBe(shown);
  });

  test('no user, password or value of any url', () => {
    const word = fc.string({ minLength: 8, maxLength: 20, unit: 'grapheme' }).map(encodeURIComponent);
    fc.assert(
      fc.property(word, word, word, word, (user, password, value, fragment) => {
        const shown = shownUrl(`https://${user}:${password}@h/p?k=${value}#${fragment}`);
        expect(shown).toBe('https://h/p?k=[redacted]');
      }),
    );
  });
});

describe('a database of its own', () => {
  test('nothing is left to the environment', () => {
    const target = parsePostgresTarget('postgres://db.example');
    if (typeof target === 'string') throw new Error(target);
    const { password, ...config } = clientConfig(target, 'spillway-probe');
    expect(config).toEqual({
      host: 'db.example',
      port: 5432,
      user: 'postgres',
      database: 'postgres',
      application_name: 'spillway-probe',
      ssl: false,
    });
    expect((password as () => string)()).toBe('');
  });

  test.each([
    ['verify-full', { rejectUnauthorized: true }],
    ['require', { rejectUnauthorized: true }],
    ['no-verify', { rejectUnauthorized: false }],
    ['disable', false],
  ])('sslmode=%s', (mode, ssl) => {
    const target = parsePostgresTarget(`postgres://u:p%40w@db.example:6543/x?sslmode=${mode}`);
    if (typeof target === 'string') throw new Error(target);
    expect(clientConfig(target, 'spillway-probe')).toMatchObject({ host: 'db.example', port: 6543, ssl });
    expect(target.password).toBe('p@w');
  });
});

describe('JSON pointers (RFC 6901)', () => {
  const document = {
    foo: ['bar', 'baz'],
    '': 0,
    'a/b': 1,
    'c%d': 2,
    'e^f': 3,
    'g|h': 4,
    'i\\j': 5,
    'k"l': 6,
    ' ': 7,
    'm~n': 8,
    'o~1p': 9,
    'o/p': 10,
  };
  test.each<[string, unknown]>([
    ['', document],
    ['/foo', ['bar', 'baz']],
    ['/foo/0', 'bar'],
    ['/', 0],
    ['/a~1b', 1],
    ['/c%d', 2],
    ['/e^f', 3],
    ['/g|h', 4],
    ['/i\\j', 5],
    ['/k"l', 6],
    ['/ ', 7],
    ['/m~0n', 8],
    ['/o~01p', 9],
    ['/o~1p', 10],
    ['/foo/2', undefined],
    ['/foo/01', undefined],
    ['/foo/-', undefined],
    ['/foo/length', undefined],
    ['/constructor', undefined],
    ['/__proto__', undefined],
    ['/foo/0/0', undefined],
    ['/m~01', undefined],
  ])('%s', (pointer, value) => {
    expect(isJsonPointer(pointer)).toBe(true);
    expect(pointedAt(document, pointer)).toEqual(value);
  });
  test.each(['a', '~', '/~', '/~2', '/a~'])('%s is none', (pointer) => {
    expect(isJsonPointer(pointer)).toBe(false);
  });
});

describe('sentences', () => {
  const failed = (code: string) => Object.assign(new Error(`connect to secret@${code}`), { code });
  test.each([
    [new ProbeFailure('the query has no row'), 'the query has no row'],
    [failed('ECONNREFUSED'), 'the host refused the connection'],
    [failed('DEPTH_ZERO_SELF_SIGNED_CERT'), 'it could not be read (DEPTH_ZERO_SELF_SIGNED_CERT)'],
    [new AggregateError([failed('ECONNREFUSED'), failed('EACCES')]), 'the host refused the connection'],
    [failed('postgres://secret'), 'it could not be read'],
    [new Error('secret'), 'it could not be read'],
    ['secret', 'it could not be read'],
  ])('%s', (error, sentence) => {
    expect(sentenceOf(error)).toBe(sentence);
  });
});
