/** Bytes to and from a store that is elsewhere: of a process as a whole, apportioned by the meter like its log. */
import type { StoreTraffic } from '../ports.ts';
import type { UsageLedger } from './usage-ledger.ts';

export class TrafficCharge {
  readonly #ledger: UsageLedger;
  readonly #store: StoreTraffic;
  #chargedBytes = 0;

  constructor(ledger: UsageLedger, store: StoreTraffic) {
    this.#ledger = ledger;
    this.#store = store;
  }

  /** Null: no pipeline is known yet, and nothing is charged. */
  charge(pipelineId: string | null): void {
    const bytes = this.#store.networkBytes() - this.#chargedBytes;
    if (bytes <= 0 || pipelineId === null) return;
    this.#chargedBytes += bytes;
    this.#ledger.share(pipelineId, { egressBytes: bytes });
  }
}
