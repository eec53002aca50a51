/** Where a Kafka cluster is, from its URL. */
import type { Reach } from './data-plane/ports.ts';
import { complaintAboutTail } from './given-url.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export type SaslMechanism = 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';

export interface KafkaAddress {
  /** Any of them is asked where the others are. At least one. */
  readonly brokers: readonly BrokerAddress[];
  readonly tls: boolean;
  readonly sasl: {
    readonly mechanism: SaslMechanism;
    readonly username: string;
    readonly password: string;
  } | null;
  /** What topics and groups begin with; installations that share a cluster need one each. */
  readonly prefix: string;
  /** Copies of a topic that is made; null: what the cluster's default says. */
  readonly replication: number | null;
  /** `host:port,host:port`, for messages. */
  readonly shown: string;
  readonly reach: Reach;
}

const DEFAULT_PORT = 9092;
const DEFAULT_PREFIX = 'spillway';
const MECHANISMS: readonly SaslMechanism[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'];

/**
 * Of `kafka://user:password@host:port,host:port/prefix?mechanism=scram-sha-512&replication=3`; `kafkas://` over TLS. Everything but a host
 * may be left out. Not by `new URL`, which knows one host only.
 * Errors: RangeError that completes "the URL …" and repeats nothing of it, as it may hold a password.
 */
export function addressOf(url: string): KafkaAddress {
  const complaint = complaintAboutTail(url.replace(/^kafkas?:\/\/[^/?#]*/, ''));
  if (complaint !== null) throw new RangeError(complaint);
  const [, scheme, user, hosts, prefix = '', query = ''] =
    /^(kafkas?):\/\/(?:([^/?#]*)@)?([^/?#@]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/.exec(url) ?? [];
  if (scheme === undefined || hosts === undefined)
    throw new RangeError(
      'must be kafka://host:port or kafkas://host:port (TLS); in a password, characters like / ? # @ are written %2F %3F %23 %40',
    );
  const brokers = hosts.split(',').map(brokerOf);
  if (prefix !== '' && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(prefix))
    throw new RangeError(
      'may name after the hosts what topics begin with: letters, digits, dots, hyphens and underscores, at most 100',
    );
  const { mechanism, replication } = parametersOf(query);
  return {
    brokers,
    tls: scheme === 'kafkas',
    sasl: saslOf(user, mechanism),
    prefix: prefix === '' ? DEFAULT_PREFIX : prefix,
    replication,
    shown: brokers.map(shownBroker).join(','),
    reach: brokers.every(({ host }) => isLoopback(host)) ? 'local' : 'network',
  };
}

/** Of a source, which makes no topics. A string says why the url cannot be used, without quoting it. */
export function parseKafkaSource(url: string): KafkaAddress | string {
  try {
    const address = addressOf(url);
    const isOfStreams = address.prefix !== DEFAULT_PREFIX || address.replication !== null;
    return isOfStreams ? 'may have a mechanism after its brokers, and nothing else' : address;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}

export function shownBroker({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function brokerOf(text: string): BrokerAddress {
  const [, six, four, port] = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const host = six ?? four;
  if (host === undefined || Number(port ?? DEFAULT_PORT) > 65_535)
    throw new RangeError('must name brokers as host or host:port, separated by commas');
  return { host, port: Number(port ?? DEFAULT_PORT) };
}

function saslOf(user: string | undefined, mechanism: SaslMechanism | null): KafkaAddress['sasl'] {
  if (user === undefined) {
    if (mechanism !== null) throw new RangeError('names a mechanism, but neither user nor password');
    return null;
  }
  const [name = '', ...rest] = user.split(':');
  const [username, password] = [decoded(name), decoded(rest.join(':'))];
  if (username === '' || password === '')
    throw new RangeError('must name both user and password, or neither');
  return { mechanism: mechanism ?? 'PLAIN', username, password };
}

function parametersOf(query: string): { mechanism: SaslMechanism | null; replication: number | null } {
  const given = new URLSearchParams(query);
  for (const name of given.keys())
    if (name !== 'mechanism' && name !== 'replication')
      throw new RangeError('may have mechanism and replication after the question mark, and nothing else');
  const named = given.get('mechanism');
  const mechanism = MECHANISMS.find((one) => one === named?.toUpperCase()) ?? null;
  if (named !== null && mechanism === null)
    throw new RangeError(
      `may have as its mechanism one of ${MECHANISMS.map((one) => one.toLowerCase()).join(', ')}`,
    );
  const copies = given.get('replication');
  if (copies !== null && !/^[1-9]\d{0,2}$/.test(copies))
    throw new RangeError('may have as its replication a number of copies, 1 or more');
  return { mechanism, replication: copies === null ? null : Number(copies) };
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new RangeError('holds a % that is no percent-encoding; a % itself is written %25');
  }
}
