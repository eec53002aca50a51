/** What a store should hold, computed slowly and without any code of the product. */
import { createHash } from 'node:crypto';
import type { PipelineEvent } from '../../../src/data-plane/event.ts';
import type { Publisher } from '../../../src/data-plane/ports.ts';

const HOUR_MS = 3_600_000;
const MASK = (1n << 64n) - 1n;

export interface OracleBucket {
  sourceId: string;
  key: string;
  start: number;
  count: number;
  sum: string;
  min: number;
  max: number;
  hash: string;
  version: number;
}

export function slowEventHash(id: string, value: number): bigint {
  const digest = createHash('md5')
    .update(Buffer.concat([Buffer.from(id), Buffer.from([0x1f]), Buffer.from(String(value))]))
    .digest();
  let number = 0n;
  for (const byte of digest) number = number * 256n + BigInt(byte);
  return number & MASK;
}

export class StoreOracle {
  readonly #events = new Map<string, PipelineEvent>();
  readonly #quarantined = new Set<string>();
  readonly #versions = new Map<string, { version: number; publisher: string }>();

  /** The outcome that `apply` should have. */
  apply(
    publisher: Publisher,
    batch: readonly PipelineEvent[],
  ): { inserted: number; duplicates: number; quarantined: number } {
    const name = publisher.kind === 'live' ? '' : publisher.backfillId;
    const outcome = { inserted: 0, duplicates: 0, quarantined: 0 };
    const changed = new Set<string>();
    // Sorted as the store does: of two events with one id and time in a batch, the first stays.
    for (const event of [...batch].sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))) {
      const known = this.#events.get(`${event.at} ${event.id}`);
      if (known === undefined) {
        this.#events.set(`${event.at} ${event.id}`, event);
        changed.add(placeOf(event));
        outcome.inserted += 1;
      } else if (known.sourceId === event.sourceId && known.key === event.key && known.value === event.value)
        outcome.duplicates += 1;
      else {
        const parked = `${name} ${JSON.stringify(event)}`;
        if (this.#quarantined.has(parked)) outcome.duplicates += 1;
        else outcome.quarantined += 1;
        this.#quarantined.add(parked);
      }
    }
    for (const place of changed) {
      const before = this.#versions.get(place);
      const version =
        before === undefined ? 1 : before.publisher === name ? before.version : before.version + 1;
      this.#versions.set(place, { version, publisher: name });
    }
    return outcome;
  }

  get events(): readonly PipelineEvent[] {
    return [...this.#events.values()];
  }

  /** In the order of (start, key, source). */
  buckets(): OracleBucket[] {
    const places = Map.groupBy(this.#events.values(), placeOf);
    return [...places]
      .map(([place, events]) => {
        const values = events.map((event) => event.value);
        const [first] = events as [PipelineEvent];
        return {
          sourceId: first.sourceId,
          key: first.key,
          start: Math.floor(first.at / HOUR_MS) * HOUR_MS,
          count: events.length,
          sum: String(values.reduce((sum, value) => sum + BigInt(value), 0n)),
          min: Math.min(...values),
          max: Math.max(...values),
          hash: String(events.reduce((sum, event) => sum + slowEventHash(event.id, event.value), 0n) & MASK),
          version: this.#versions.get(place)?.version ?? 0,
        };
      })
      .sort((a, b) => a.start - b.start || compare(a.key, b.key) || compare(a.sourceId, b.sourceId));
  }
}

function placeOf(event: PipelineEvent): string {
  return `${event.sourceId} ${Math.floor(event.at / HOUR_MS)} ${event.key}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
