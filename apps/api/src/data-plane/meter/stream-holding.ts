/**
 * Bytes × time on a stream, and whose they are: of the account whose entries lie there when it is the only one, shared when there are
 * several. Whose entries they are is known when they are applied; until the first are, what accrues is kept.
 */
import type { Account, UsageLedger } from './usage-ledger.ts';

/** An account that had nothing applied for so long has nothing on the stream any more, unless it was the last. */
const FORGET_MS = 10_000;

export class StreamHolding {
  readonly #ledger: UsageLedger;
  readonly #pipelineId: string;
  /** By backfill, null is live: when its last entries were applied. */
  readonly #met = new Map<string | null, number>();
  #last: { readonly bytes: number; readonly atMs: number } | null = null;
  #unassigned = 0;

  constructor(ledger: UsageLedger, pipelineId: string) {
    this.#ledger = ledger;
    this.#pipelineId = pipelineId;
  }

  applied({ backfillId }: Pick<Account, 'backfillId'>, atMs: number): void {
    this.#met.delete(backfillId);
    this.#met.set(backfillId, atMs);
  }

  /** Entries come and go evenly between two looks. */
  look(bytes: number, atMs: number): void {
    if (this.#last !== null) this.#unassigned += ((this.#last.bytes + bytes) / 2) * (atMs - this.#last.atMs);
    this.#last = { bytes, atMs };
    this.#assign(atMs);
    if (bytes === 0) this.#met.clear();
  }

  /** It was not looked at for a while (another had taken over): nothing is known of that time. */
  lost(): void {
    this.#last = null;
  }

  #assign(atMs: number): void {
    for (const [backfillId, metMs] of this.#met)
      if (this.#met.size > 1 && atMs - metMs > FORGET_MS) this.#met.delete(backfillId);
    const whole = Math.floor(this.#unassigned);
    const [backfillId] = this.#met.keys();
    if (whole <= 0 || backfillId === undefined) return;
    this.#unassigned -= whole;
    const use = { streamByteMs: BigInt(whole) };
    if (this.#met.size > 1) this.#ledger.share(this.#pipelineId, use);
    else this.#ledger.charge({ pipelineId: this.#pipelineId, backfillId }, use);
  }
}
