/**
 * Which probe begins when. Pure bookkeeping: times come in, ids go out.
 *
 * Each probe begins at its interval, counted from its last beginning, and never while it still runs; a missed turn is not made up for.
 * At most four run at once, and of those not known to be quick at most two: hosts that hang hold up each other, not the rest. One
 * that has never answered goes before one known to be slow, so that it is soon known for what it is. One that is suspended never begins again.
 */
const AT_ONCE_MAX = 4;
const NOT_QUICK_AT_ONCE_MAX = 2;
const SLOW_MS = 1_000;

interface Turn {
  readonly intervalMs: number;
  dueMs: number;
  /** Null: it does not run. */
  beganMs: number | null;
  /** Of its last attempt. */
  pace: 'unknown' | 'quick' | 'slow';
  suspended: boolean;
}

export class ProbeSchedule {
  readonly #turns = new Map<string, Turn>();

  /** From now on these; one that is new is due at once. */
  set(probes: readonly { readonly id: string; readonly intervalMs: number }[], nowMs: number): void {
    const wanted = new Set(probes.map(({ id }) => id));
    for (const id of this.#turns.keys()) if (!wanted.has(id)) this.#turns.delete(id);
    for (const { id, intervalMs } of probes)
      if (!this.#turns.has(id))
        this.#turns.set(id, { intervalMs, dueMs: nowMs, beganMs: null, pace: 'unknown', suspended: false });
  }

  /** The probe that begins now, the one due longest first; null when none may. */
  begin(nowMs: number): string | null {
    const running = [...this.#turns.values()].filter(({ beganMs }) => beganMs !== null);
    if (running.length >= AT_ONCE_MAX) return null;
    const onlyQuick = running.filter(({ pace }) => pace !== 'quick').length >= NOT_QUICK_AT_ONCE_MAX;
    const [next] = [...this.#turns]
      .filter(
        ([, { beganMs, dueMs, pace, suspended }]) =>
          beganMs === null && !suspended && dueMs <= nowMs && (pace === 'quick' || !onlyQuick),
      )
      .toSorted(([, a], [, b]) => Number(a.pace === 'slow') - Number(b.pace === 'slow') || a.dueMs - b.dueMs);
    if (next === undefined) return null;
    const [id, turn] = next;
    turn.beganMs = nowMs;
    turn.dueMs = nowMs + turn.intervalMs;
    return id;
  }

  ended(id: string, nowMs: number): void {
    const turn = this.#turns.get(id);
    if (turn?.beganMs == null) return;
    turn.pace = nowMs - turn.beganMs >= SLOW_MS ? 'slow' : 'quick';
    turn.beganMs = null;
  }

  /** For as long as it is among these. */
  suspend(id: string): void {
    const turn = this.#turns.get(id);
    if (turn !== undefined) turn.suspended = true;
  }

  /** When the next turn comes; null: none does by itself. One that is due already and may not begin waits for the end of another. */
  nextDueMs(nowMs: number): number | null {
    const coming = [...this.#turns.values()].filter(
      ({ beganMs, dueMs, suspended }) => beganMs === null && !suspended && dueMs > nowMs,
    );
    return coming.length === 0 ? null : Math.min(...coming.map(({ dueMs }) => dueMs));
  }
}
