import { MultipleErrors, NetworkError, ResponseError } from '@platformatic/kafka';
import { describe, expect, it } from 'vitest';
import { offsetOf, placeOf } from '../../src/adapters/stream-kafka/place.ts';
import { abilitiesOf } from '../../src/adapters/stream-kafka/protocol.ts';
import { lagOf, trimmableBefore } from '../../src/adapters/stream-kafka/stream.ts';
import {
  acceptedIn,
  type KafkaDanger,
  objections,
  retentionIn,
} from '../../src/adapters/stream-kafka/topic.ts';
import { failureOf } from '../../src/adapters/stream-kafka/translate.ts';
import { StreamError, type StreamStats } from '../../src/data-plane/ports.ts';
import { addressOf } from '../../src/kafka-address.ts';

describe('the address of a Kafka cluster', () => {
  it('is read from its URL, and nothing but a host is needed', () => {
    expect(addressOf('kafka://localhost')).toEqual({
      brokers: [{ host: 'localhost', port: 9092 }],
      tls: false,
      sasl: null,
      prefix: 'spillway',
      replication: null,
      shown: 'localhost:9092',
      reach: 'local',
    });
    expect(
      addressOf(
        'kafkas://spill:p%40ss%2F:w@a.example:9093,[2001:db8::1]/two?mechanism=scram-sha-512&replication=3',
      ),
    ).toEqual({
      brokers: [
        { host: 'a.example', port: 9093 },
        { host: '2001:db8::1', port: 9092 },
      ],
      tls: true,
      sasl: { mechanism: 'SCRAM-SHA-512', username: 'spill', password: 'p@ss/:w' },
      prefix: 'two',
      replication: 3,
      shown: 'a.example:9093,[2001:db8::1]:9092',
      reach: 'network',
    });
    expect(addressOf('kafka://me:secret@127.0.0.1:1').sasl?.mechanism).toBe('PLAIN');
  });

  it.each([
    ['http://host', /must be kafka:/],
    ['kafka://', /must name brokers/],
    ['kafka://a:9092,', /must name brokers/],
    ['kafka://a:99999', /must name brokers/],
    ['kafka://a:canary', /must name brokers/],
    ['kafka://user@host', /both user and password/],
    ['kafka://:canary@host', /both user and password/],
    ['kafka://user:can#ary@host', /behind its host: .*%23/],
    ['kafka://user:can%zzary@host', /percent-encoding/],
    ['kafka://u:can@ry/can1ary@host', /behind its host: .*%40/],
    ['kafka://host/a/b', /what topics begin with/],
    ['kafka://host?mechanism=plain', /neither user nor password/],
    ['kafka://u:canary@host?mechanism=gssapi', /one of plain, scram-sha-256, scram-sha-512/],
    ['kafka://host?replication=0', /number of copies/],
    ['kafka://host?password=canary', /nothing else/],
  ])('%s is refused, and not repeated', (url, says) => {
    expect(() => addressOf(url)).toThrow(RangeError);
    expect(() => addressOf(url)).toThrow(says);
    expect(() => addressOf(url)).not.toThrow(/can.*ary/);
  });
});

describe('a place in a topic', () => {
  const [one, other] = ['11111111-2222-3333-4444-555555555555', '99999999-2222-3333-4444-555555555555'];
  const none = '00000000-0000-0000-0000-000000000000';

  it('is read back, and is a gap in another topic of the same name', () => {
    for (const id of [one, none]) expect(placeOf(offsetOf(42, id), id)).toBe(42);
    expect(() => placeOf(offsetOf(42, one), other)).toThrow(StreamError);
    expect(() => placeOf(offsetOf(42, one), other)).toThrow(/topic that is gone/);
  });

  it('stays good where topics have no ids yet, or none any more', () => {
    expect(placeOf(offsetOf(42, none), one)).toBe(42);
    expect(placeOf(offsetOf(42, one), none)).toBe(42);
  });
});

describe('what may be trimmed, and what is not finished', () => {
  it.each([
    ['nothing without a group', [], null, 0],
    ['what the only one has finished', [7], null, 7],
    ['up to the slowest', [7, 3, 9], null, 3],
    ['nothing while one holds all', [7, 0], null, 0],
    ['everything', [10, 10], null, 10],
    ['nothing that the producer has its state on alone', [10], 6, 6],
    ['nothing where a group has a place beyond the end: it is of another topic', [11, 7], null, 0],
  ] as const)('%s', (_, places, stateKeptBefore, expected) => {
    expect(trimmableBefore(places, stateKeptBefore, 10)).toBe(expected);
  });

  it.each([
    [4, 6],
    [10, 0],
    [0, 8],
    [11, null],
  ])('a group at %d of entries 2 to 9 lags %s', (unfinished, lag) => {
    expect(lagOf(unfinished, { first: 2, next: 10 })).toBe(lag);
  });
});

describe('a topic', () => {
  const good = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
  it.each<[string, Partial<Record<string, string>> | null, boolean, KafkaDanger[], RegExp[]]>([
    ['is kept until it is trimmed', {}, true, [], []],
    ['is kept for a week: that is shown', { 'retention.ms': '604800000' }, true, [], []],
    ['is compacted', { 'cleanup.policy': 'compact' }, true, [], [/cleanup\.policy is compact/]],
    ['is compacted, whatever is accepted', { 'cleanup.policy': 'compact' }, true, ['retention'], [/compact/]],
    ['has a limit of size', { 'retention.bytes': '1' }, true, [], [/retention\.bytes is 1/]],
    ['has one that is accepted', { 'retention.bytes': '1' }, true, ['retention'], []],
    ['is not told about', null, true, [], [/DescribeConfigs/]],
    ['is not told about, and another danger is accepted', null, true, ['untrimmed'], [/DescribeConfigs/]],
    ['cannot be trimmed', {}, false, [], [/SPILLWAY_STREAM_ACCEPT=untrimmed/]],
    ['cannot be trimmed, and that is accepted', {}, false, ['untrimmed'], []],
  ])('that %s', (_, differs, canBeTrimmed, accepted, expected) => {
    const configuration =
      differs === null ? null : new Map(Object.entries({ ...good, ...differs } as Record<string, string>));
    const found = objections({ configuration, canBeTrimmed }, accepted);
    expect(found).toHaveLength(expected.length);
    for (const [index, says] of expected.entries()) expect(found[index]).toMatch(says);
  });
});

describe('what is told of how long a topic keeps its entries', () => {
  const both: KafkaDanger[] = ['retention', 'untrimmed'];
  const none = { ms: null, entries: null, bytes: null };
  const kept = (ms: string, bytes: string) =>
    new Map([
      ['retention.ms', ms],
      ['retention.bytes', bytes],
    ]);
  it.each<
    [
      string,
      ReadonlyMap<string, string> | null,
      KafkaDanger[],
      StreamStats['retention'],
      KafkaDanger[] | undefined,
    ]
  >([
    ['nothing, where it keeps them', kept('-1', '-1'), [], undefined, undefined],
    ['nothing of what was accepted and is not so', kept('-1', '-1'), ['retention'], undefined, undefined],
    ['its age', kept('1000', '-1'), ['retention'], { ...none, ms: 1_000 }, undefined],
    ['its size', kept('-1', '5242880'), ['retention'], { ...none, bytes: 5_242_880 }, ['retention']],
    ['that nobody says', null, ['retention'], undefined, ['retention']],
    ['that nothing is trimmed', kept('-1', '-1'), both, undefined, ['untrimmed']],
    ['both', null, both, undefined, both],
  ])('%s', (_, configuration, accepted, retention, told) => {
    const facts = { configuration, canBeTrimmed: true };
    expect(retentionIn(facts)).toEqual(retention);
    expect(acceptedIn(facts, accepted)).toEqual(told);
  });
});

describe('what a broker offers', () => {
  const all = [0, 1, 2, 3, 8, 9, 10, 22];
  const offered = (keys: readonly number[], range = { min: 0, max: 20 }) =>
    new Map(keys.map((key) => [key, range]));
  it('is enough with every needed version in its range, and not without one', () => {
    expect(abilitiesOf(offered(all)).enough).toBe(true);
    for (const key of all) expect(abilitiesOf(offered(all.filter((one) => one !== key))).enough).toBe(false);
    expect(abilitiesOf(offered(all, { min: 0, max: 1 })).enough).toBe(false);
    expect(abilitiesOf(offered(all, { min: 12, max: 20 })).enough).toBe(false);
  });
});

describe('what Kafka says', () => {
  const address = addressOf('kafkas://me:can%40ry@db.example:9093');
  const answer = (error: number) => new ResponseError(0, 7, { '/responses/0': [error, null] }, {});
  it.each<[StreamError['code'], boolean, string, unknown]>([
    ['gap', false, 'OFFSET_OUT_OF_RANGE', answer(1)],
    ['stream_unavailable', true, 'UNKNOWN_TOPIC_OR_PARTITION', answer(3)],
    ['stream_unavailable', true, 'LEADER_NOT_AVAILABLE', answer(5)],
    ['stream_unavailable', true, 'NOT_LEADER_OR_FOLLOWER', answer(6)],
    ['stream_unavailable', true, 'REQUEST_TIMED_OUT', answer(7)],
    ['stream_refused', false, 'MESSAGE_TOO_LARGE', answer(10)],
    ['stream_refused', false, 'OFFSET_METADATA_TOO_LARGE', answer(12)],
    ['stream_unavailable', true, 'COORDINATOR_NOT_AVAILABLE', answer(15)],
    ['stream_unavailable', true, 'NOT_ENOUGH_REPLICAS', answer(19)],
    ['stream_refused', false, 'UNKNOWN_MEMBER_ID', answer(25)],
    ['stream_denied', false, 'TOPIC_AUTHORIZATION_FAILED', answer(29)],
    ['stream_denied', false, 'GROUP_AUTHORIZATION_FAILED', answer(30)],
    ['stream_denied', false, 'CLUSTER_AUTHORIZATION_FAILED', answer(31)],
    ['stream_refused', false, 'UNSUPPORTED_VERSION', answer(35)],
    ['stream_refused', false, 'INVALID_REPLICATION_FACTOR', answer(38)],
    ['stream_unavailable', false, 'OUT_OF_ORDER_SEQUENCE_NUMBER', answer(45)],
    ['stream_unavailable', false, 'UNKNOWN_PRODUCER_ID', answer(59)],
    ['stream_unavailable', true, 'KAFKA_STORAGE_ERROR', answer(56)],
    ['stream_denied', false, 'SASL_AUTHENTICATION_FAILED', answer(58)],
    [
      'stream_unavailable',
      true,
      'ECONNREFUSED',
      new NetworkError('failed', { cause: new Error('ECONNREFUSED') }),
    ],
    [
      'stream_unavailable',
      true,
      'ENOTFOUND',
      new NetworkError('failed', { cause: new Error('getaddrinfo ENOTFOUND') }),
    ],
    [
      'stream_unavailable',
      true,
      'self-signed',
      new NetworkError('failed', { cause: new Error('self-signed certificate') }),
    ],
    ['stream_unavailable', true, 'Connection closed', new NetworkError('Connection closed')],
    [
      'stream_unavailable',
      true,
      'closed the connection at once: it wants TLS or a user',
      new NetworkError('Connection closed while waiting for ready.'),
    ],
  ])('%s, to be asked again: %s, when it says %s', (code, mayPass, says, thrown) => {
    const failure = failureOf(thrown, address);
    expect(failure).toMatchObject({ mayPass, error: { name: 'StreamError', code } });
    expect(failure.error.message).toMatch(/^Kafka at db\.example:9093 /);
    expect(failure.error.message).toContain(says);
    expect(failure.error.cause).toBeUndefined();
  });

  it.each([
    ['kafka', 'wants TLS (then the URL begins with kafkas://)'],
    ['kafkas', 'speaks no TLS there (then the URL begins with kafka://)'],
  ])('of a connection that is ended, says what a URL of %s:// may lack', (scheme, says) => {
    const reset = new NetworkError('failed', { cause: new Error('read ECONNRESET') });
    expect(failureOf(reset, addressOf(`${scheme}://db.example`)).error.message).toContain(says);
  });

  it.each([
    'write EPROTO: ssl3_get_record:wrong version number',
    'Client network socket disconnected before secure TLS connection was established',
  ])('of one without TLS is not laid to certificates: %s', (said) => {
    const { error } = failureOf(new NetworkError('failed', { cause: new Error(said) }), address);
    expect(error.message).toContain('speaks no TLS there (then the URL begins with kafka://)');
  });

  it('is told without the password, however it is written', () => {
    const { error } = failureOf(
      new MultipleErrors('both', [new Error('can@ry'), new Error('can%40ry')]),
      address,
    );
    expect(error.message).toContain('[redacted]; [redacted]');
    expect(error.message).not.toMatch(/can(@|%40)ry/);
  });

  it('is left as it is when it is the port that speaks', () => {
    const own = new StreamError('gap', 'gone');
    expect(failureOf(own, address)).toMatchObject({ error: own, mayPass: false });
  });
});
