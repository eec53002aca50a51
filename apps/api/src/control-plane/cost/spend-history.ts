/** Spend of each account over the last minute: readings in memory, so a restarted api has a rate again after some seconds. */

import { spendPerHour } from '@spillway/shared/cost/budget';
import type { Atoms } from '@spillway/shared/cost/money';
import type { Database } from '../database/database.ts';

interface Reading {
  readonly spent: Atoms;
  readonly atMs: number;
}

const WINDOW_MS = 60_000;
const READ_EVERY_MS = 1_000;
/** Two readings closer than this say little. */
const SHORTEST_MS = 5_000;

export class SpendHistory {
  readonly #readings = new Map<string, Reading[]>();

  observe(account: string, spent: Atoms, atMs: number): void {
    const readings = this.#readings.get(account) ?? [];
    this.#readings.set(account, readings);
    if (atMs - (readings.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY) < READ_EVERY_MS) return;
    readings.push({ spent, atMs });
    while (readings.length > 1 && atMs - (readings[1] as Reading).atMs >= WINDOW_MS) readings.shift();
    // Of one that is read now and then the last reading may be a day old: what lies between is not the last minute.
    if (atMs - (readings[0] as Reading).atMs > 2 * WINDOW_MS) readings.shift();
  }

  /** Null: not known yet, or not any more. */
  perHour(account: string, atMs: number): Atoms | null {
    const readings = this.#readings.get(account) ?? [];
    const [first, last] = [readings[0], readings.at(-1)];
    if (first === undefined || last === undefined) return null;
    if (last.atMs - first.atMs < SHORTEST_MS || atMs - last.atMs > SHORTEST_MS) return null;
    const rate = spendPerHour(first, last);
    // What is not settled yet may be absorbed after all.
    return rate === null || rate < 0n ? 0n : rate;
  }

  forgetAllBut(accounts: ReadonlySet<string>): void {
    for (const account of this.#readings.keys()) if (!accounts.has(account)) this.#readings.delete(account);
  }
}

const histories = new WeakMap<Database, SpendHistory>();

export function spendHistory(ctx: { readonly database: Database }): SpendHistory {
  const known = histories.get(ctx.database) ?? new SpendHistory();
  histories.set(ctx.database, known);
  return known;
}
