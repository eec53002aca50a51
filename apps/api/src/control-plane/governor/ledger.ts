/**
 * The seconds each ceiling has cost each backfill: added at every pass, written about once a second.
 *
 * What passes between two looks is told by the reason of the later one, as long as the grants of the earlier were good for it. After a longer
 * gap (the process was stopped, the machine had no time for it) nobody knows what the later reason held for: the seconds that grants are
 * good for are the earlier reason's, and the rest is `hard_stop`, for then nothing was granted any more. What had no grant to run out
 * stood still by its own reason all that time. So the seconds add up to the time that has passed, to a look, while the process lives; between two
 * of them nobody counts.
 */
import type { Effective } from '@spillway/shared/api/backfill';
import { grantValidMs } from '@spillway/shared/api/worker-protocol';
import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';

const counted: readonly BackfillState[] = ['running', 'pausing', 'paused'];

interface Entry {
  readonly backfillId: string;
  readonly reason: string;
  readonly seconds: number;
}

export class Ledger {
  readonly #ctx: ControlContext;
  #unwritten = new Map<string, Entry>();
  #lastMs: number | null = null;
  /** What was decided at the last look, by backfill. */
  #stood: ReadonlyMap<string, Effective> = new Map();

  constructor(ctx: ControlContext) {
    this.#ctx = ctx;
  }

  observe(
    backfills: readonly { readonly id: string; readonly state: BackfillState }[],
    decisions: ReadonlyMap<string, Effective>,
  ): void {
    const now = this.#ctx.clock.monotonic();
    const passedMs = now - (this.#lastMs ?? now);
    for (const { id, state } of backfills) {
      if (!counted.includes(state)) continue;
      for (const { reason, ms } of reasonsOf(passedMs, this.#stood.get(id), decisions.get(id)))
        if (reason !== null) this.#add({ backfillId: id, reason, seconds: ms / 1000 });
    }
    this.#lastMs = now;
    this.#stood = new Map(decisions);
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

function reasonsOf(
  passedMs: number,
  before: Effective | undefined,
  now: Effective | undefined,
): { readonly reason: Effective['binding']; readonly ms: number }[] {
  if (passedMs <= grantValidMs) return [{ reason: now?.binding ?? null, ms: passedMs }];
  // Not there yet when it was looked at last: it has lost nothing.
  if (before === undefined) return [];
  if (before.eventsPerSecond === 0) return [{ reason: before.binding, ms: passedMs }];
  return [
    { reason: before.binding, ms: grantValidMs },
    { reason: 'hard_stop', ms: passedMs - grantValidMs },
  ];
}
