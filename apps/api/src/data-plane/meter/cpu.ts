/**
 * Whose the CPU of this process is. What it used since the last look is the account's that was at work, when there was only one (measured);
 * with several it is shared by those of a pipeline (apportioned by the meter); with none it is the pipeline's it stands ready for.
 */
import type { Account, UsageLedger } from './usage-ledger.ts';

export class CpuCharge {
  readonly #ledger: UsageLedger;
  readonly #cpuMs: () => number;
  #chargedMs = 0;

  /** `cpuMs`: user and system, since the process began. */
  constructor(ledger: UsageLedger, cpuMs: () => number = processCpuMs) {
    this.#ledger = ledger;
    this.#cpuMs = cpuMs;
  }

  /** `active`: at work at some time since the last charge. `readyFor`: null while no pipeline is known, and nothing is charged. */
  charge(active: readonly Account[], readyFor: string | null): void {
    const ms = Math.floor(this.#cpuMs()) - this.#chargedMs;
    const [first, ...others] = active;
    if (ms <= 0 || (first === undefined && readyFor === null)) return;
    this.#chargedMs += ms;
    if (first === undefined) this.#ledger.share(readyFor as string, { cpuMs: ms });
    else if (others.length === 0) this.#ledger.charge(first, { cpuMs: ms });
    else this.#divide(ms, active);
  }

  /** Between pipelines by their accounts, the remainder to the last; within one the meter divides by what each did. */
  #divide(ms: number, active: readonly Account[]): void {
    const byPipeline = [...Map.groupBy(active, ({ pipelineId }) => pipelineId)];
    let left = ms;
    for (const [index, [pipelineId, accounts]] of byPipeline.entries()) {
      const last = index === byPipeline.length - 1;
      const part = last ? left : Math.floor((ms * accounts.length) / active.length);
      left -= part;
      this.#ledger.share(pipelineId, { cpuMs: part });
    }
  }
}

/** All threads of it. */
export function processCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
