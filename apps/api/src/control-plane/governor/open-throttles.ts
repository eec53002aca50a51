/**
 * Throttles whose receipt waits for the workers: effective when every lease of the backfill has reported the grant that followed
 * the command, or is gone. In memory; after a restart of the api an open receipt waits for the first grants of the new one.
 */
export class OpenThrottles {
  readonly #open = new Map<string, { readonly backfillId: string; waitsFor: Map<string, number> | null }>();

  /** Waits from the next call of {@link granted} for its backfill. */
  open(commandId: string, backfillId: string): void {
    if (!this.#open.has(commandId)) this.#open.set(commandId, { backfillId, waitsFor: null });
  }

  /**
   * The grants after a pass of the governor: sequence by lease. They carry the limits of `commandIds` alone, those that were committed before the pass
   * read the limits: a throttle that came while it ran waits for the next.
   */
  granted(backfillId: string, commandIds: ReadonlySet<string>, sequences: ReadonlyMap<string, number>): void {
    for (const [commandId, throttle] of this.#open) {
      if (throttle.backfillId === backfillId && throttle.waitsFor === null && commandIds.has(commandId))
        throttle.waitsFor = new Map(sequences);
    }
  }

  acknowledge(leaseId: string, sequence: number): void {
    for (const { waitsFor } of this.#open.values()) {
      if (sequence >= (waitsFor?.get(leaseId) ?? Number.POSITIVE_INFINITY)) waitsFor?.delete(leaseId);
    }
  }

  gone(leaseId: string): void {
    for (const { waitsFor } of this.#open.values()) waitsFor?.delete(leaseId);
  }

  /** Commands nothing is waited for any more. They stay open until {@link close}: the receipt has yet to be written. */
  settled(): string[] {
    return [...this.#open].filter(([, { waitsFor }]) => waitsFor?.size === 0).map(([commandId]) => commandId);
  }

  commands(): Set<string> {
    return new Set(this.#open.keys());
  }

  backfills(): Set<string> {
    return new Set([...this.#open.values()].map(({ backfillId }) => backfillId));
  }

  close(commandIds: readonly string[]): void {
    for (const commandId of commandIds) this.#open.delete(commandId);
  }
}
