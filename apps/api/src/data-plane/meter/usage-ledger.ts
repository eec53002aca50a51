/**
 * What this process has used, by pipeline and account: absolute counters from zero, reported with every tick until they have arrived. They are
 * the process's own: it may join again under another name, the series stays.
 */
import { randomUUID } from 'node:crypto';
import type { UsageReport } from '@spillway/shared/api/usage-report';
import type { UsageCounter } from '@spillway/shared/cost/usage';
import type { Clock } from '../clock.ts';

/** Whole units. A counter that is named, also with 0, is known from then on. */
export type Use = Readonly<Partial<Record<UsageCounter, number | bigint>>>;

/** Null: live. */
export interface Account {
  readonly pipelineId: string;
  readonly backfillId: string | null;
}

type Counters = Partial<Record<UsageCounter, bigint>>;
interface Own {
  readonly use: Counters;
  /** Rises with every change; reported again until a report with the newest has arrived. */
  changed: number;
  changedMs: number;
  arrived: number;
  /** Sequence of the last report that it was in. */
  toldIn: number;
}
interface PipelineUse {
  /** When it was first served. */
  readonly startedMs: number;
  readonly own: Map<string | null, Own>;
  readonly shared: Counters;
  /** The control plane has had a report of it. */
  arrived: boolean;
  /** Sequence of the last report that it was in. */
  toldIn: number;
}

/** Told again for so long although it has arrived: the control plane may lose what it had not stored yet. */
const TELL_AGAIN_MS = 60_000;
/** The rest comes with the next ticks. Of a pipeline. */
const ACCOUNTS_A_REPORT = 200;
/** No more are taken. Those that have nothing new have their turn too: what is not heard of for an hour is forgotten. */
const PIPELINES_A_REPORT = 16;

export class UsageLedger {
  readonly #clock: Clock;
  readonly #series = `us_${randomUUID().replaceAll('-', '')}`;
  readonly #pipelines = new Map<string, PipelineUse>();
  readonly #atWork = new Map<string, Account>();
  #sequence = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add({ pipelineId, backfillId }: Account, use: Use): void {
    this.#atWork.set(`${pipelineId} ${backfillId}`, { pipelineId, backfillId });
    this.charge({ pipelineId, backfillId }, use);
  }

  /** The same for use that comes of work which was told before: nobody is at work because of it. */
  charge({ pipelineId, backfillId }: Account, use: Use): void {
    const { own } = this.#of(pipelineId);
    const account = own.get(backfillId) ?? { use: {}, changed: 0, changedMs: 0, arrived: 0, toldIn: 0 };
    own.set(backfillId, account);
    account.changed += 1;
    account.changedMs = this.#clock.monotonic();
    addTo(account.use, use);
  }

  /** Whose work was added since it was last asked. */
  takeAtWork(): Account[] {
    const accounts = [...this.#atWork.values()];
    this.#atWork.clear();
    return accounts;
  }

  /** Of the process as a whole: the control plane apportions it. */
  share(pipelineId: string, use: Use): void {
    addTo(this.#of(pipelineId).shared, use);
  }

  /**
   * Any other has been removed: nothing more is told of it, and one that comes to have its name is counted from zero. To be said before every report
   * as well: what was under way when it was removed is charged afterwards.
   */
  keepOnly(pipelineIds: readonly string[]): void {
    for (const id of this.#pipelines.keys()) if (!pipelineIds.includes(id)) this.#pipelines.delete(id);
    for (const [key, { pipelineId }] of this.#atWork)
      if (!pipelineIds.includes(pipelineId)) this.#atWork.delete(key);
  }

  /** After so many all pipelines have been told. */
  get reportsForAll(): number {
    return Math.ceil(this.#pipelines.size / PIPELINES_A_REPORT);
  }

  /** `delivered`: the control plane has it. */
  report(): { readonly usage: UsageReport[]; delivered(): void } {
    this.#sequence += 1;
    const nowMs = this.#clock.monotonic();
    const told: { own: Own; changed: number }[] = [];
    const usage = longestUntold([...this.#pipelines], PIPELINES_A_REPORT).map(
      ([pipelineId, pipeline]): UsageReport => {
        const { startedMs, own, shared, arrived } = pipeline;
        pipeline.toldIn = this.#sequence;
        const news = [...own].filter(
          ([, { changed, arrived, changedMs }]) => changed > arrived || nowMs - changedMs < TELL_AGAIN_MS,
        );
        const part = longestUntold(news, ACCOUNTS_A_REPORT);
        for (const [, account] of part) {
          account.toldIn = this.#sequence;
          told.push({ own: account, changed: account.changed });
        }
        return {
          pipelineId,
          series: this.#series,
          sequence: this.#sequence,
          ageMs: Math.max(0, Math.round(nowMs - startedMs)),
          arrived,
          own: part.map(([backfillId, { use }]) => ({ backfillId, use: inDigits(use) })),
          shared: inDigits(shared),
        };
      },
    );
    return {
      usage,
      delivered: () => {
        for (const { own, changed } of told) own.arrived = Math.max(own.arrived, changed);
        for (const { pipelineId } of usage) {
          const known = this.#pipelines.get(pipelineId);
          if (known !== undefined) known.arrived = true;
        }
      },
    };
  }

  #of(pipelineId: string): PipelineUse {
    const known = this.#pipelines.get(pipelineId) ?? {
      startedMs: this.#clock.monotonic(),
      own: new Map(),
      shared: {},
      arrived: false,
      toldIn: 0,
    };
    this.#pipelines.set(pipelineId, known);
    return known;
  }
}

/** As many as fit; with more than that, all have their turn. */
function longestUntold<K, T extends { readonly toldIn: number }>(all: [K, T][], most: number): [K, T][] {
  return all.length <= most ? all : all.toSorted(([, a], [, b]) => a.toldIn - b.toldIn).slice(0, most);
}

function addTo(counters: Counters, use: Use): void {
  for (const [name, amount] of Object.entries(use))
    counters[name as UsageCounter] = (counters[name as UsageCounter] ?? 0n) + BigInt(amount);
}

function inDigits(counters: Counters): Partial<Record<UsageCounter, string>> {
  return Object.fromEntries(Object.entries(counters).map(([name, amount]) => [name, amount.toString()]));
}
