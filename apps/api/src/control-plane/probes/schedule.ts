/**
 * Which probe begins when. Pure bookkeeping: times come in, ids go out.
 *
 * Each probe begins at its interval, counted from its last beginning, and never while it still runs; a missed turn is not made up for.
 * At most four run at once, and of those whose last attempt was slow at most two: hosts that hang hold up each other, not the rest.
 */
const AT_ONCE_MAX = 4;
const SLOW_AT_ONCE_MAX = 2;
const SLOW_MS = 1_000;

interface Turn {
  readonly intervalMs: number;
  dueMs: number;
  /** Null: it does not run. */
  beganMs: number | null;
  slow: boolean;
}

export class ProbeSchedule {
  readonly #turns = new Map<string, Turn>();

  /** From now on these; one that is new is due at once. */
  set(probes: readonly { readonly id: string; readonly intervalMs: number }[], nowMs: number): void {
    const wanted = new Set(probes.map(({ id }) => id));
    for (const id of this.#turns.keys()) if (!wanted.has(id)) this.#turns.delete(id);
    for (const { id, intervalMs } of probes)
      if (!this.#turns.has(id)) this.#turns.set(id, { intervalMs, dueMs: nowMs, beganMs: null, slow: false });
  }

  /** The probe that begins now, the one due longest first; null when none may. */
  begin(nowMs: number): string | null {
    if (this.#running().length >= AT_ONCE_MAX) return null;
    const slowMayBegin = this.#running().filter(({ slow }) => slow).length < SLOW_AT_ONCE_MAX;
    let next: [string, Turn] | null = null;
    for (const [id, turn] of this.#turns) {
      const mayBegin = turn.beganMs === null && turn.dueMs <= nowMs && (slowMayBegin || !turn.slow);
      if (mayBegin && (next === null || turn.dueMs < next[1].dueMs)) next = [id, turn];
    }
    if (next === null) return null;
    const [id, turn] = next;
    turn.beganMs = nowMs;
    turn.dueMs = nowMs + turn.intervalMs;
    return id;
  }

  ended(id: string, nowMs: number): void {
    const turn = this.#turns.get(id);
    if (turn?.beganMs == null) return;
    turn.slow = nowMs - turn.beganMs >= SLOW_MS;
    turn.beganMs = null;
  }

  /** When the next turn comes; null: none does by itself. One that is due already and may not begin waits for the end of another. */
  nextDueMs(nowMs: number): number | null {
    const coming = [...this.#turns.values()].filter(
      ({ beganMs, dueMs }) => beganMs === null && dueMs > nowMs,
    );
    return coming.length === 0 ? null : Math.min(...coming.map(({ dueMs }) => dueMs));
  }

  #running(): Turn[] {
    return [...this.#turns.values()].filter(({ beganMs }) => beganMs !== null);
  }
}
