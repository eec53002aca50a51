/**
 * The brokers, each on one connection that is made again when it is lost.
 *
 * **What is under way when a connection is lost** may or may not have been done. So everything that is run here can be run twice: an append
 * has its place in its producer's sequence, by which the broker knows it again; a commit of an offset and a trimming say where to, not
 * how far; and the rest reads. It is run again until it is answered or its patience is over; then the caller is told `stream_unavailable`.
 */
import { isIP } from 'node:net';
import { apiVersionsV1, Connection } from '@platformatic/kafka';
import { pause } from '../../data-plane/pause.ts';
import { StreamError } from '../../data-plane/ports.ts';
import { type BrokerAddress, type KafkaAddress, shownBroker } from '../../kafka-address.ts';
import {
  type Abilities,
  abilitiesOf,
  clusterIdOf,
  coordinatorOf,
  type Offered,
  PARTITION,
  planOf,
  type TopicPlan,
} from './protocol.ts';
import { failureOf } from './translate.ts';

/** Long enough for a broker that is started again, short enough for who holds a lease. */
const PATIENCE_MS = 5_000;
const CONNECT_MS = 3_000;
/** A broker that owes an answer for this long is taken for cut off. Above the longest wait of a read and of an append. */
const SILENCE_MS = 4_000;
const FIRST_RETRY_MS = 20;
const LAST_RETRY_MS = 1_000;
const CLIENT = 'spillway';

const NEVER = new AbortController().signal;

/** Who is to be asked: any broker, the leader of a partition (of the one that streams have: `leader`), the one that keeps a group's offsets, or this one. */
export type Whom =
  | 'any'
  | 'leader'
  | { readonly partition: number }
  | { readonly group: string }
  | { readonly broker: BrokerAddress };

export class Cluster {
  readonly address: KafkaAddress;
  readonly topic: string;
  readonly #patienceMs: number;
  readonly #closing = new AbortController();
  readonly #connections = new Map<string, Promise<Connection>>();
  readonly #coordinators = new Map<string, BrokerAddress>();
  /** By partition. */
  readonly #leaders = new Map<number, BrokerAddress>();
  #offered: Offered | null = null;

  constructor(
    address: KafkaAddress,
    topic: string,
    { patienceMs }: { readonly patienceMs?: number | undefined } = {},
  ) {
    this.address = address;
    this.topic = topic;
    this.#patienceMs = patienceMs ?? PATIENCE_MS;
  }

  get closed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * Whatever `command` answers; it may be called several times. Once the signal aborts it is not called again.
   * Errors: {@link StreamError}.
   */
  async run<Answer>(
    whom: Whom,
    command: (connection: Connection) => Promise<Answer>,
    { patienceMs = this.#patienceMs, signal = NEVER }: { patienceMs?: number; signal?: AbortSignal } = {},
  ): Promise<Answer> {
    const untilMs = performance.now() + patienceMs;
    for (let retryMs = FIRST_RETRY_MS; ; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      if (this.closed) throw closed();
      let broker: BrokerAddress | null = null;
      try {
        broker = await this.#find(whom);
        return await command(await this.#connected(broker));
      } catch (thrown) {
        const { error, mayPass, answered } = failureOf(thrown, this.address);
        if (mayPass) this.#forget(answered ? null : broker);
        if (this.closed) throw closed();
        if (!mayPass || signal.aborted || performance.now() + retryMs >= untilMs) throw error;
        // Many lose a broker at the same moment; they need not come back at the same moment.
        await pause(retryMs * (0.5 + Math.random() / 2), AbortSignal.any([signal, this.#closing.signal]));
      }
    }
  }

  async abilities(): Promise<Abilities> {
    return abilitiesOf(await this.run('any', (connection) => this.#offer(connection)));
  }

  /** Null: it tells none. */
  id(): Promise<string | null> {
    return this.run('any', async (connection) => clusterIdOf(connection, await this.#offer(connection)));
  }

  plan(): Promise<TopicPlan> {
    return this.run('any', (connection) => this.planBy(connection, false));
  }

  /** As one broker says; `create`: it may make the topic, where it is set up so. */
  async planBy(connection: Connection, create: boolean): Promise<TopicPlan> {
    return planOf(connection, await this.#offer(connection), this.topic, create);
  }

  /** Ends what waits now. The next command makes new connections. */
  drop(): void {
    for (const opening of this.#connections.values()) end(opening);
    this.#connections.clear();
  }

  close(): void {
    this.#closing.abort();
    this.drop();
  }

  async #find(whom: Whom): Promise<BrokerAddress> {
    if (whom === 'any') return this.#anyBroker();
    if (whom === 'leader') return this.#leaderOf(PARTITION);
    if ('partition' in whom) return this.#leaderOf(whom.partition);
    if ('broker' in whom) return whom.broker;
    const known = this.#coordinators.get(whom.group);
    if (known !== undefined) return known;
    const found = await coordinatorOf(await this.#anyConnection(), whom.group);
    this.#coordinators.set(whom.group, found);
    return found;
  }

  async #leaderOf(partition: number): Promise<BrokerAddress> {
    const known = this.#leaders.get(partition);
    if (known !== undefined) return known;
    const { partitions } = await this.planBy(await this.#anyConnection(), false);
    for (const { index, leader } of partitions) if (leader !== null) this.#leaders.set(index, leader);
    const found = this.#leaders.get(partition);
    if (found === undefined)
      throw new StreamError('stream_unavailable', `${this.topic} has no leader at ${this.address.shown}`);
    return found;
  }

  async #offer(connection: Connection): Promise<Offered> {
    if (this.#offered === null) {
      const { apiKeys } = await apiVersionsV1.api.async(connection, CLIENT, '1');
      this.#offered = new Map(
        apiKeys.map(({ apiKey, minVersion, maxVersion }) => [apiKey, { min: minVersion, max: maxVersion }]),
      );
    }
    return this.#offered;
  }

  async #anyConnection(): Promise<Connection> {
    return this.#connected(await this.#anyBroker());
  }

  /** The first named that can be reached. */
  async #anyBroker(): Promise<BrokerAddress> {
    let last: unknown;
    for (const broker of this.address.brokers) {
      try {
        await this.#connected(broker);
        return broker;
      } catch (error) {
        this.#forget(broker);
        last = error;
      }
    }
    throw last;
  }

  #connected(broker: BrokerAddress): Promise<Connection> {
    const key = shownBroker(broker);
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    // Brokers close what lies idle, and nobody is waiting on that who would forget it.
    const opening = this.#connect(broker, () => {
      if (this.#connections.get(key) === opening) this.#connections.delete(key);
    });
    this.#connections.set(key, opening);
    return opening;
  }

  /** Who is in charge is asked anew; with a broker, its connection is made anew too. */
  #forget(broker: BrokerAddress | null): void {
    this.#leaders.clear();
    this.#coordinators.clear();
    if (broker === null) return;
    const opening = this.#connections.get(shownBroker(broker));
    this.#connections.delete(shownBroker(broker));
    if (opening !== undefined) end(opening);
  }

  async #connect({ host, port }: BrokerAddress, lost: () => void): Promise<Connection> {
    const { tls, sasl } = this.address;
    const connection = new Connection(CLIENT, {
      connectTimeout: CONNECT_MS,
      requestTimeout: SILENCE_MS,
      // An address is no server name; the certificate is checked against it all the same.
      ...(tls ? { tls: {}, tlsServerName: isIP(host) === 0 } : {}),
      ...(sasl === null ? {} : { sasl: { ...sasl } }),
    });
    // What it ended with is told to whoever waits on it.
    connection.on('error', () => undefined);
    connection.on('close', lost);
    await connection.connect(host, port);
    return connection;
  }
}

function closed(): StreamError {
  return new StreamError('stream_unavailable', 'the stream is closed');
}

/** At once, with all that waits on it. */
function end(opening: Promise<Connection>): void {
  opening.then(
    (connection) => {
      // Closing alone ends what it does by itself (logging in anew), and would wait for what is to be written.
      void connection.close();
      connection.socket.destroy();
    },
    () => undefined,
  );
}
