/**
 * How many events per second this store applies: batches through the same call, into a schema made by the same migrations,
 * dropped in the end. One calibration at a time; what a killed one left is removed by the next.
 */
import type { Clock } from '../../data-plane/clock.ts';
import type { PipelineEvent } from '../../data-plane/event.ts';
import type { StoreMaintenance } from '../../data-plane/ports.ts';
import { applyCall, sortBatch } from './apply.ts';
import type { Connections } from './connections.ts';
import { integer } from './literal.ts';
import { inSchema, type Migration } from './migrate.ts';
import { partitionable } from './partitions.ts';

const SCHEMA = 'spillway_calibration';
/** The first batches plan their statements and grow the files; they are applied, not counted. */
const WARM_UP_BATCHES = 5;
const MONTH_MS = 31 * 86_400_000;

type CalibrationRequest = Parameters<StoreMaintenance['calibrate']>[0];

export async function calibrate(
  connections: Pick<Connections, 'run' | 'call'>,
  request: CalibrationRequest,
  options: { readonly migrations: readonly Migration[]; readonly bucketMs: number; readonly clock: Clock },
): Promise<{ eventsPerSecond: number; commitMsP99: number }> {
  const { run } = connections;
  const { sample, batchSize, forMs } = request;
  const { clock, bucketMs } = options;
  if (sample.length === 0 || batchSize < 1)
    throw new RangeError('a calibration needs a sample and a batch size');
  await run(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}; ${options.migrations.map(({ sql }) => inSchema(sql, SCHEMA)).join('\n')}
    insert into ${SCHEMA}.stream_positions (stream, fence) values ('calibration', 1)`);
  try {
    const copies = new Copies(sample, bucketMs);
    const commitMs: number[] = [];
    let partitionsTo = 0;
    let events = 0;
    let startedAt = clock.monotonic();
    // At least one batch is counted, however long the warm-up took.
    for (let batch = 0; batch <= WARM_UP_BATCHES || clock.monotonic() - startedAt < forMs; batch++) {
      if (batch === WARM_UP_BATCHES) startedAt = clock.monotonic();
      const sorted = sortBatch(copies.take(batchSize));
      const last = sorted.events.at(-1)?.at ?? 0;
      if (last >= partitionsTo) {
        const range = partitionable({ from: sorted.events[0]?.at ?? 0, to: last + MONTH_MS });
        await run(`select ${SCHEMA}.ensure_partitions(${integer(range.from)}, ${integer(range.to)})`);
        partitionsTo = range.to;
      }
      const calledAt = clock.monotonic();
      const apply = {
        stream: 'calibration',
        fence: 1,
        publisher: { kind: 'backfill', backfillId: 'calibration' },
        events: sorted.events,
        position: String(batch).padStart(12, '0'),
      } as const;
      const call = applyCall(apply, sorted, { bucketMs, expectDuplicates: false, schema: SCHEMA });
      await connections.call('rest', call);
      if (batch < WARM_UP_BATCHES) continue;
      commitMs.push(clock.monotonic() - calledAt);
      events += sorted.events.length;
    }
    const seconds = (clock.monotonic() - startedAt) / 1000;
    commitMs.sort((a, b) => a - b);
    return {
      eventsPerSecond: seconds > 0 ? events / seconds : 0,
      commitMsP99: commitMs[Math.ceil(commitMs.length * 0.99) - 1] ?? 0,
    };
  } finally {
    await run(`drop schema ${SCHEMA} cascade`);
  }
}

/** The sample again and again, each lap later than the one before, so that it makes new buckets as real history does. */
class Copies {
  readonly #sample: readonly PipelineEvent[];
  readonly #spanMs: number;
  #next = 0;

  constructor(sample: readonly PipelineEvent[], bucketMs: number) {
    this.#sample = [...sample].sort((a, b) => a.at - b.at);
    const from = this.#sample[0]?.at ?? 0;
    const to = this.#sample.at(-1)?.at ?? 0;
    this.#spanMs = Math.ceil((to - from + 1) / bucketMs) * bucketMs;
  }

  take(count: number): PipelineEvent[] {
    return Array.from({ length: count }, () => {
      const lap = Math.floor(this.#next / this.#sample.length);
      const event = this.#sample[this.#next % this.#sample.length] as PipelineEvent;
      this.#next += 1;
      return { ...event, id: `${event.id}~${lap}`, at: event.at + lap * this.#spanMs };
    });
  }
}
