/**
 * Asking for leases: one question at a time, at most two a second while there is work in hand and nothing to be had, and at
 * once when a lease has ended.
 *
 * What is pushed while a question is under way may concern the very leases of its answer (a pause that came right after the
 * grant): it is kept and told again once they have begun.
 */
import type { Lease, WorkerPush } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import type { ControlClient } from '../control/control-client.ts';

export interface ClaimingParts {
  readonly control: Pick<ControlClient, 'claim'>;
  readonly clock: Clock;
  readonly log: { warn(fields: object, message: string): void };
  /** Null while the worker is no member or is to stop. */
  readonly workerId: () => string | null;
  readonly held: () => number;
  readonly leasesMax: number;
  readonly begin: (lease: Lease, askedAtMs: number) => void;
  readonly tellAgain: (push: WorkerPush, sentMs: number) => void;
}

const CLAIM_AGAIN_MS = 500;

export class Claiming {
  readonly #parts: ClaimingParts;
  readonly #kept: { push: WorkerPush; sentMs: number }[] = [];
  #underWay: Promise<void> | null = null;
  #again = false;
  #quietSinceMs = Number.NEGATIVE_INFINITY;

  constructor(parts: ClaimingParts) {
    this.#parts = parts;
  }

  /** Now and then. */
  async claim(): Promise<void> {
    const { clock, held } = this.#parts;
    if (this.#underWay !== null) return;
    if (clock.monotonic() - this.#quietSinceMs < CLAIM_AGAIN_MS && held() > 0) return;
    await this.claimNow();
  }

  /** Resolves when a question asked from now on has been answered. */
  async claimNow(): Promise<void> {
    this.#again = true;
    this.#underWay ??= this.#ask().finally(() => {
      this.#underWay = null;
    });
    await this.#underWay;
  }

  /** Resolves when no question is under way. */
  async settled(): Promise<void> {
    await this.#underWay;
  }

  keep(push: WorkerPush, sentMs: number): void {
    if (this.#underWay !== null) this.#kept.push({ push, sentMs });
  }

  async #ask(): Promise<void> {
    const { control, clock, log, workerId, held, leasesMax, begin, tellAgain } = this.#parts;
    while (this.#again) {
      this.#again = false;
      const member = workerId();
      const free = leasesMax - held();
      if (member === null || free <= 0) return;
      const askedAtMs = clock.monotonic();
      try {
        const { leases } = await control.claim(member, free);
        if (leases.length === 0) this.#quietSinceMs = clock.monotonic();
        for (const lease of leases) begin(lease, askedAtMs);
        for (const { push, sentMs } of this.#kept) tellAgain(push, sentMs);
      } catch (error) {
        this.#quietSinceMs = clock.monotonic();
        this.#again = false;
        log.warn({ reason: error instanceof Error ? error.message : String(error) }, 'no lease claimed');
      } finally {
        this.#kept.length = 0;
      }
    }
  }
}
