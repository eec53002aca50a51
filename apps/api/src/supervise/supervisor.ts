/** The set of processes of one machine: brought up tier by tier, kept up, drained in order. */
import { once } from 'node:events';
import type { ReadyPayload } from './channel.ts';
import { drainSteps, PREPARES_FIRST, type Tier } from './drain-order.ts';
import type { ProcessLog } from './process-log.ts';
import { type ProcessSpec, SupervisedProcess } from './supervised-process.ts';

export class StartFailedError extends Error {}

export class Supervisor {
  readonly #log: ProcessLog;
  readonly #processes: SupervisedProcess[] = [];
  readonly #failed: Promise<never>;
  #fail!: (error: Error) => void;
  #draining: Promise<void> | null = null;

  constructor(log: ProcessLog) {
    this.#log = log;
    this.#failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    this.#failed.catch(() => undefined);
  }

  /**
   * Starts the processes at once and resolves when all are ready, in the order given.
   *
   * @throws StartFailedError when one of them keeps dying before it was ever ready
   */
  start(specs: ProcessSpec[]): Promise<ReadyPayload[]> {
    if (this.#draining !== null) return this.#failed;
    return Promise.race([Promise.all(specs.map((spec) => this.#startOne(spec))), this.#failed]);
  }

  async #startOne(spec: ProcessSpec): Promise<ReadyPayload> {
    const supervised = new SupervisedProcess(spec, this.#log);
    this.#processes.push(supervised);
    supervised.once('gave-up', (how) => {
      this.#fail(new StartFailedError(`${spec.name} does not start (${how})`));
    });
    const ready = once(supervised, 'ready');
    supervised.start();
    const [payload] = await ready;
    return payload as ReadyPayload;
  }

  /** Drains all processes, at most 9 s. Later calls wait for the first. */
  drain(): Promise<void> {
    this.#draining ??= this.#drainInOrder();
    return this.#draining;
  }

  async #drainInOrder(): Promise<void> {
    this.#fail(new StartFailedError('stopped before it was ready'));
    const startedAt = performance.now();
    for (const one of this.#of(PREPARES_FIRST)) one.prepareToStop();
    for (const { tier, deadlineMs } of drainSteps()) {
      const limitMs = startedAt + deadlineMs - performance.now();
      await Promise.all(this.#of(tier).map((one) => one.stop(limitMs)));
    }
  }

  #of(tier: Tier): SupervisedProcess[] {
    return this.#processes.filter(({ spec }) => spec.tier === tier);
  }

  get draining(): boolean {
    return this.#draining !== null;
  }

  killAll(): void {
    for (const one of this.#processes) one.kill();
  }
}
