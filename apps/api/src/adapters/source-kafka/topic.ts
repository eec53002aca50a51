/** A topic that is read and nothing else: its partitions, their ends, and their records by offset. */
import { SourceError, StreamError } from '../../data-plane/ports.ts';
import type { KafkaAddress } from '../../kafka-address.ts';
import { Cluster } from '../stream-kafka/cluster.ts';
import { endOf, fetchPartition, offsetAt } from '../stream-kafka/protocol.ts';
import { checkCluster } from '../stream-kafka/topic.ts';
import { committedIn, type TopicRecord } from './records.ts';

const FETCH_BYTES = 1 << 20;
const WAIT_MS = 100;
/** Fetches that bring nothing although there is something. */
const EMPTY_MAX = 20;

export interface PartitionEnds {
  readonly partition: number;
  /** The first offset that is held. */
  readonly begin: number;
  /** Behind the last that is committed. */
  readonly end: number;
}

const codes: Readonly<Record<StreamError['code'], SourceError['code']>> = {
  gap: 'gap',
  stream_unavailable: 'source_unavailable',
  stream_full: 'source_unavailable',
  stream_denied: 'source_denied',
  stream_refused: 'source_schema',
  stream_corrupt: 'source_corrupt',
  stream_missing: 'source_missing',
  group_missing: 'source_missing',
};

export class Topic {
  readonly name: string;
  readonly #cluster: Cluster;

  constructor(address: KafkaAddress, name: string, options: { readonly patienceMs?: number | undefined }) {
    this.name = name;
    this.#cluster = new Cluster(address, name, options);
  }

  /** In their order, at least one. Errors: `source_missing` when there is no such topic, and what the cluster says. */
  ends(): Promise<readonly PartitionEnds[]> {
    return inOurWords(async () => {
      await checkCluster(this.#cluster);
      const { exists, partitions } = await this.#cluster.plan();
      if (!exists || partitions.length === 0)
        throw new SourceError(
          'source_missing',
          `there is no topic ${this.name} at ${this.#cluster.address.shown}`,
        );
      const indexes = partitions.map(({ index }) => index).toSorted((one, other) => one - other);
      return Promise.all(indexes.map((partition) => this.#endsOf(partition)));
    });
  }

  /** The first offset with this timestamp or a later one; null: there is none, or it is not known. */
  offsetAt(partition: number, at: number): Promise<number | null> {
    return inOurWords(() =>
      this.#cluster.run({ partition }, (connection) => offsetAt(connection, this.name, partition, at)),
    );
  }

  /** `[from, to)`, as they come; a piece holds up to a MiB or so. Errors: `gap` for what retention has removed. */
  async *records(
    partition: number,
    from: number,
    to: number,
    maxBytes = FETCH_BYTES,
  ): AsyncGenerator<readonly TopicRecord[]> {
    let empty = 0;
    for (let offset = from; offset < to; ) {
      const at = offset;
      const { records, next } = await inOurWords(() =>
        this.#cluster.run({ partition }, async (connection) =>
          committedIn(
            await fetchPartition(connection, this.name, {
              partition,
              offset: at,
              waitMs: WAIT_MS,
              maxBytes,
              committedOnly: true,
            }),
            at,
          ),
        ),
      );
      empty = next === at ? empty + 1 : 0;
      if (empty > EMPTY_MAX)
        throw new SourceError('source_unavailable', `${this.#placeOf(partition, at)} is not given out`);
      offset = next;
      const asked = records.filter((record) => record.offset < to);
      if (asked.length > 0) yield asked;
    }
  }

  close(): void {
    this.#cluster.close();
  }

  async #endsOf(partition: number): Promise<PartitionEnds> {
    const [begin, end] = await this.#cluster.run({ partition }, (connection) =>
      Promise.all([
        endOf(connection, this.name, 'earliest', partition),
        endOf(connection, this.name, 'latest', partition, true),
      ]),
    );
    return { partition, begin, end };
  }

  #placeOf(partition: number, offset: number): string {
    return `${this.name}[${partition}]@${offset}`;
  }
}

async function inOurWords<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof StreamError)) throw error;
    throw new SourceError(codes[error.code], error.message);
  }
}
