/**
 * Appends of one producer go one after the other, each one batch. The broker counts them: a batch that is sent again, because its answer was
 * lost, is written once and answered as before. When that is not to be had any more the producer takes a new identity, and the caller is
 * told that it is not known whether the append has been done.
 *
 * The producer's state is in the batch, on its last record, so there is none without its entries. Four times a second it is kept in a
 * committed offset as well, from which it is looked for; nothing after that is trimmed.
 */
import type { StreamProducer } from '../../data-plane/ports.ts';
import type { Cluster } from './cluster.ts';
import { appendable, type HeldRecord } from './entries.ts';
import type { CommittedOffsets } from './offsets.ts';
import { offsetOf } from './place.ts';
import { endOf, fetch, newIdentity, type ProducerIdentity, produce } from './protocol.ts';

const KEEP_STATE_MS = 250;
const SETTLE_PATIENCE_MS = 1_000;
/** Sequences are 32 bits wide. */
const SEQUENCE_MAX = 2 ** 31 - 1;
const LOOK_BYTES = 1024 * 1024;

export interface ProducerParts {
  readonly cluster: Cluster;
  readonly offsets: CommittedOffsets;
  readonly topicId: string;
  /** Wall clock, epoch ms: Kafka wants to know when a record was written. */
  readonly now: () => number;
}

export function producerOf({ cluster, offsets, topicId, now }: ProducerParts): {
  readonly producer: StreamProducer;
  /** Keeps what state is not kept yet. Whoever closes a stream does not wait long for it. */
  settle(): Promise<void>;
} {
  const { topic } = cluster;
  let identity: (ProducerIdentity & { sequence: number }) | null = null;
  let last: Promise<unknown> = Promise.resolve();
  let unkept: { readonly state: string; readonly next: number } | null = null;
  let keptAtMs = Number.NEGATIVE_INFINITY;
  let keeping: Promise<void> | null = null;

  function inTurn<Answer>(act: () => Promise<Answer>): Promise<Answer> {
    const acting = last.then(act);
    last = acting.catch(() => undefined);
    return acting;
  }

  async function append(records: readonly ReturnType<typeof appendable>[], state: string | undefined) {
    if (identity === null || identity.sequence > SEQUENCE_MAX - records.length)
      identity = { ...(await cluster.run('any', newIdentity)), sequence: 0 };
    const batch = { records, state, identity, sequence: identity.sequence, timestamp: now() };
    try {
      const first = await cluster.run('leader', (connection) => produce(connection, topic, batch));
      identity.sequence += records.length;
      return first;
    } catch (error) {
      identity = null;
      throw error;
    }
  }

  /** Behind the append, which does not wait for it; when it fails the next one tries again. */
  function keepSometimes(state: string, next: number): void {
    unkept = { state, next };
    if (keeping !== null || performance.now() - keptAtMs < KEEP_STATE_MS) return;
    keeping = keep()
      .catch(() => undefined)
      .finally(() => void (keeping = null));
  }

  async function keep(options: { readonly patienceMs?: number } = {}): Promise<void> {
    const kept = unkept;
    if (kept === null) return;
    keptAtMs = performance.now();
    await offsets.keepProducerState(kept.state, kept.next, options);
    if (unkept === kept) unkept = null;
  }

  async function latestState(): Promise<string | null> {
    const [kept, { first, next }] = await Promise.all([offsets.producerState(), offsets.ends()]);
    let state = kept?.note ?? null;
    for (let at = Math.max(first, kept?.offset ?? 0); at < next; ) {
      const records: readonly HeldRecord[] = await cluster.run('leader', (connection) =>
        fetch(connection, topic, at, { waitMs: 0, maxBytes: LOOK_BYTES }),
      );
      if (records.length === 0) break;
      state = records.findLast((record) => record.state !== null)?.state ?? state;
      at = (records.at(-1) as HeldRecord).offset + 1;
    }
    return state;
  }

  return {
    producer: {
      append: async (entries, producerState) => {
        if (entries.length === 0) throw new RangeError('an append needs an entry');
        const records = entries.map(appendable);
        const first = await inTurn(async () => {
          const offset = await append(records, producerState);
          if (producerState !== undefined) keepSometimes(producerState, offset + records.length);
          return offset;
        });
        return {
          firstOffset: offsetOf(first, topicId),
          lastOffset: offsetOf(first + records.length - 1, topicId),
          bytes: records.reduce((sum, { key, value }) => sum + key.length + value.length, 0),
        };
      },
      producerState: latestState,
      keepState: (producerState) =>
        inTurn(async () => {
          await keeping;
          const next = await cluster.run('leader', (connection) => endOf(connection, topic, 'latest'));
          unkept = { state: producerState, next };
          await keep();
        }),
      length: async () => {
        const { first, next } = await offsets.ends();
        return next - first;
      },
    },
    settle: () => keep({ patienceMs: SETTLE_PATIENCE_MS }),
  };
}
