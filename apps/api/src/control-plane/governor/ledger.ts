/**
 * The seconds each ceiling has cost each backfill: added at every pass, written about once a second.
 *
 * What passes between two looks is told by the reason of the later one, as long as the grants of the earlier were good for it. After a longer
 * gap (the process was stopped, the machine had no time for it, no api ran) nobody knows what the later reason held for: the seconds that grants are
 * good for are the earlier reason's, and the rest is `hard_stop`, for then nothing was granted any more. What had no grant to run out
 * stood still by its own reason all that time. So the seconds add up to the time that has passed, to a look; between two of them nobody counts.
 *
 * What stood at the last look is written down with the seconds, in `ledger_marks`, so that a process that comes after this one counts on from there. What
 * passed since the last write is its gap, too: nothing is counted twice.
 */
import type { Effective } from '@spillway/shared/api/backfill';
import { grantValidMs } from '@spillway/shared/api/worker-protocol';
import type { BackfillState } from '@spillway/shared/backfill/state-machine';
import { sql } from 'drizzle-orm';
import type { ControlContext } from '../context.ts';
import { ledgerMarks } from '../database/schema.ts';

const counted: readonly BackfillState[] = ['running', 'pausing', 'paused'];

interface Entry {
  readonly backfillId: string;
  readonly reason: string;
  readonly seconds: number;
}

type Decided = Pick<Effective, 'eventsPerSecond' | 'binding'>;

/** What was decided at a look, and when that was, monotonic ms. */
interface Stood extends Decided {
  readonly atMs: number;
}

export class Ledger {
  readonly #ctx: ControlContext;
  #unwritten = new Map<string, Entry>();
  #lastMs: number | null = null;
  #stood: ReadonlyMap<string, Stood> = new Map();
  /** Of those that are counted: what to write down of the last look. */
  #marks: readonly (Decided & { readonly backfillId: string })[] = [];
  /** Marks in the database that may be out of date: those of the last write, or of an earlier process. */
  #written = 0;
  #resumed = false;

  constructor(ctx: ControlContext) {
    this.#ctx = ctx;
  }

  /** Before the first look, once: goes on from where an earlier process of this api ended. */
  async resume(): Promise<void> {
    if (this.#resumed) return;
    const marks = await this.#ctx.database
      .select({
        backfillId: ledgerMarks.backfillId,
        binding: ledgerMarks.binding,
        eventsPerSecond: ledgerMarks.eventsPerSecond,
        // By the database's clock, which may have been set back.
        agoMs: sql<number>`greatest(0, extract(epoch from clock_timestamp() - ${ledgerMarks.at}) * 1000)::float8`,
      })
      .from(ledgerMarks);
    const now = this.#ctx.clock.monotonic();
    this.#stood = new Map(
      marks.map(({ backfillId, binding, eventsPerSecond, agoMs }) => [
        backfillId,
        { binding: binding as Effective['binding'], eventsPerSecond, atMs: now - agoMs },
      ]),
    );
    this.#written = marks.length;
    this.#resumed = true;
  }

  observe(
    backfills: readonly { readonly id: string; readonly state: BackfillState }[],
    decisions: ReadonlyMap<string, Effective>,
  ): void {
    const now = this.#ctx.clock.monotonic();
    const lastMs = this.#lastMs ?? now;
    const own = backfills.filter(({ state }) => counted.includes(state));
    for (const { id } of own) {
      const before = this.#stood.get(id);
      for (const { reason, ms } of reasonsOf(now - (before?.atMs ?? lastMs), before, decisions.get(id)))
        if (reason !== null) this.#add({ backfillId: id, reason, seconds: ms / 1000 });
    }
    this.#lastMs = now;
    this.#stood = new Map(
      [...decisions].map(([id, { binding, eventsPerSecond }]) => [
        id,
        { binding, eventsPerSecond, atMs: now },
      ]),
    );
    this.#marks = own.flatMap(({ id }) => {
      const stood = this.#stood.get(id);
      return stood === undefined
        ? []
        : [{ backfillId: id, binding: stood.binding, eventsPerSecond: stood.eventsPerSecond }];
    });
  }

  /** Rejects when the database does not answer; what could not be written is written with the next. */
  async write(): Promise<void> {
    if (this.#unwritten.size + this.#marks.length + this.#written === 0) return;
    const marks = this.#marks;
    const rows = [...this.#unwritten.values()];
    const now = this.#ctx.clock.monotonic();
    const sinceMs = now - (this.#lastMs ?? now);
    this.#unwritten = new Map();
    try {
      // One statement: a mark without its seconds would lose them, and seconds without their mark count twice.
      await this.#ctx.database.execute(sql`
        with counted as (
          insert into ledger (backfill_id, reason, seconds)
          select "backfillId", reason, seconds from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as x("backfillId" text, reason text, seconds float8)
          on conflict (backfill_id, reason) do update set seconds = ledger.seconds + excluded.seconds
        ), marks as (
          select * from jsonb_to_recordset(${JSON.stringify(marks)}::jsonb) as x("backfillId" text, binding text, "eventsPerSecond" float8)
        ), over as (
          delete from ledger_marks where backfill_id not in (select "backfillId" from marks)
        )
        insert into ledger_marks (backfill_id, at, binding, events_per_second)
        select "backfillId", clock_timestamp() - ${sinceMs}::float8 * interval '1 millisecond', binding, "eventsPerSecond" from marks
        on conflict (backfill_id) do update set at = excluded.at, binding = excluded.binding, events_per_second = excluded.events_per_second`);
      this.#written = marks.length;
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
  before: Decided | undefined,
  now: Decided | undefined,
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
