/** What the streams of a cluster are told by: the cluster's own id, and what the names of their topics begin with. */
import type { Identity } from '@spillway/shared/api/worker-protocol';
import { addressOf } from '../../kafka-address.ts';
import { Cluster } from './cluster.ts';
import type { KafkaClusterOptions } from './stream.ts';

/** Null: the brokers tell none. Errors as of `checkKafkaCluster`. */
export async function kafkaIdentity({ url, patienceMs }: KafkaClusterOptions): Promise<Identity | null> {
  const address = addressOf(url);
  const cluster = new Cluster(address, '', { patienceMs });
  try {
    const id = await cluster.id();
    return id === null
      ? null
      : { id: `${id}/${address.prefix}`, name: `topics ${address.prefix}.* of Kafka at ${address.shown}` };
  } finally {
    cluster.close();
  }
}
