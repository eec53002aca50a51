/** The seconds each ceiling has cost each backfill: added at every pass, written about once a second. */
import type { Effective } from '@spillway/shared/api/backfill';
import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';

const counted: readonly BackfillState[] = ['running', 'pausing', 'paused'];
/** A longer gap between passes is a pause of the machine, not of the backfill. */
const LONGEST_PASS_SECONDS = 5;

interface Entry {
  readonly backfillId: string;
  readonly reason: string;
  readonly seconds: number;
}

export class Ledger {
  readonly #ctx: ControlContext;
  #unwritten = new Map<string, Entry>();
  #lastMs: number | null = null;

  constructor(ctx: ControlContext) {
    this.#ctx = ctx;
  }

  observe(
    backfills: readonly { readonly id: string; readonly state: BackfillState }[],
    decisions: ReadonlyMap<string, Effective>,
  ): void {
    const now = this.#ctx.clock.monotonic();
    const seconds = Math.min(LONGEST_PASS_SECONDS, (now - (this.#lastMs ?? now)) / 1000);
    this.#lastMs = now;
    for (const { id, state } of backfills) {
      const reason = decisions.get(id)?.binding;
      if (!counted.includes(state) || reason === null || reason === undefined) continue;
      this.#add({ backfillId: id, reason, seconds });
    }
  }

  /** Rejects when the database does not answer; what could not be written is written with the next. */
  async write(): Promise<void> {
    const rows = [...this.#unwritten.values()];
    if (rows.length === 0) return;
    this.#unwritten = new Map();
    try {
      await this.#ctx.database.execute(sql`
        insert into ledger (backfill_id, reason, seconds)
        select "backfillId", reason, seconds from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x("backfillId" text, reason text, seconds float8)
        on conflict (backfill_id, reason) do update set seconds = ledger.seconds + excluded.seconds`);
    } catch (error) {
      for (const row of rows) this.#add(row);
      throw error;
    }
  }

  #add({ backfillId, reason, seconds }: Entry): void {
    const key = `${backfillId} ${reason}`;
    this.#unwritten.set(key, {
      backfillId,
      reason,
      seconds: seconds + (this.#unwritten.get(key)?.seconds ?? 0),
    });
  }
}
