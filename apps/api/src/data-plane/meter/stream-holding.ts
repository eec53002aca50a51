/**
 * Bytes × time on a stream, and whose they are: of the account whose entries lie there when it is the only one, shared when there are
 * several. Whose entries they are is known when they are applied; until the first are, what accrues is kept. What an earlier process left there
 * applied, and nobody adds to, is live's, for whom the stream stands ready: it is not the next backfill's that comes, perhaps days later. What it left to
 * be applied waits like what comes.
 */
import type { Clock } from '../clock.ts';
import type { Account, UsageLedger } from './usage-ledger.ts';

/** An account that had nothing applied for so long has nothing on the stream any more, unless it was the last. */
const FORGET_MS = 10_000;
/** What is on the stream is to be told every two seconds at the latest. */
const LEFT_OUT_MAX = 7;

export interface Lying {
  readonly bytes: number;
  readonly entries: number;
  /** Of which are not applied yet; null or absent: not known. */
  readonly waiting?: number | null;
}

interface Trim {
  readonly beganMs: number;
  /** A look has counted what it left, after so many ms without one; null: none has. */
  seenAfterMs: number | null;
}

export class StreamHolding {
  readonly #ledger: UsageLedger;
  readonly #pipelineId: string;
  /** By backfill, null is live: when its last entries were applied. */
  readonly #met = new Map<string | null, number>();
  #last: { readonly bytes: number; readonly atMs: number } | null = null;
  /** Since the last look. */
  #trims: { readonly entries: number; readonly atMs: number }[] = [];
  /** When last some lay there; null: never. */
  #bytesPerEntry: number | null = null;
  /** Something has come that nobody is known by yet. */
  #awaited = false;
  readonly #underWay = new Set<Trim>();
  /** Looks, one after the other. */
  #leftOut = 0;
  #unassigned = 0;

  constructor(ledger: UsageLedger, pipelineId: string) {
    this.#ledger = ledger;
    this.#pipelineId = pipelineId;
  }

  applied({ backfillId }: Pick<Account, 'backfillId'>, atMs: number): void {
    this.#met.delete(backfillId);
    this.#met.set(backfillId, atMs);
  }

  /** Looks that come as often as trims would see the stream at one phase of its sawtooth, always the same. */
  trimming(removed: Promise<number>, clock: Pick<Clock, 'monotonic'>): void {
    const trim: Trim = { beganMs: clock.monotonic(), seenAfterMs: null };
    this.#underWay.add(trim);
    removed.then(
      (entries) => {
        this.#underWay.delete(trim);
        if (trim.seenAfterMs === null) this.#trims.push({ entries, atMs: clock.monotonic() });
        else this.#unassigned += (this.#weighed(entries) / 2) * trim.seenAfterMs;
      },
      () => void this.#underWay.delete(trim),
    );
  }

  /**
   * Entries come evenly between two looks and go when they are trimmed: what lay there at the first, half of what has come since, and less
   * what had gone, each for its time. In bytes; what was trimmed weighs what entries last weighed. `askedMs`: what is told was seen between then and
   * now. Beside a trim nobody knows whether with or without what it took: then the next look is as good. Where all are beside one, a trim that had begun
   * before is taken for done: what it took had come by then, and went in that moment.
   */
  look(
    { bytes, entries, waiting }: Lying,
    { askedMs, atMs }: { readonly askedMs: number; readonly atMs: number },
  ): void {
    const besideTrim = this.#underWay.size > 0 || this.#trims.some((trim) => trim.atMs >= askedMs);
    if (besideTrim && this.#leftOut < LEFT_OUT_MAX) {
      this.#leftOut += 1;
      return;
    }
    this.#leftOut = 0;
    if (entries > 0) this.#bytesPerEntry = bytes / entries;
    for (const trim of this.#underWay)
      if (trim.beganMs <= askedMs) trim.seenAfterMs = atMs - (this.#last?.atMs ?? atMs);
    if (this.#last !== null) this.#accrue(this.#last, bytes, atMs);
    this.#trims = [];
    this.#last = { bytes, atMs };
    this.#assign(atMs, (waiting ?? 0) > 0);
    if (bytes === 0) this.#met.clear();
  }

  /** It was not looked at for a while (another had taken over): nothing is known of that time. */
  lost(): void {
    this.#last = null;
    this.#trims = [];
  }

  #accrue(last: { readonly bytes: number; readonly atMs: number }, bytes: number, atMs: number): void {
    const elapsedMs = atMs - last.atMs;
    let gone = 0;
    let goneByteMs = 0;
    for (const trim of this.#trims) {
      const weighed = this.#weighed(trim.entries);
      gone += weighed;
      goneByteMs += weighed * (atMs - trim.atMs);
    }
    const come = bytes + gone - last.bytes;
    this.#unassigned += Math.max(0, (last.bytes + come / 2) * elapsedMs - goneByteMs);
    if (come > 0) this.#awaited = true;
  }

  #weighed(entries: number): number {
    return entries * (this.#bytesPerEntry ?? 0);
  }

  #assign(atMs: number, someWait: boolean): void {
    for (const [backfillId, metMs] of this.#met)
      if (this.#met.size > 1 && atMs - metMs > FORGET_MS) this.#met.delete(backfillId);
    const whole = Math.floor(this.#unassigned);
    const [first] = this.#met.keys();
    const backfillId = first === undefined && !this.#awaited && !someWait ? null : first;
    if (whole <= 0 || backfillId === undefined) return;
    this.#unassigned -= whole;
    this.#awaited = false;
    const use = { streamByteMs: BigInt(whole) };
    if (this.#met.size > 1) this.#ledger.share(this.#pipelineId, use);
    else this.#ledger.charge({ pipelineId: this.#pipelineId, backfillId }, use);
  }
}
