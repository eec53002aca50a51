/**
 * One process that is to run: started, started again when it dies or is stuck, drained when asked.
 *
 * It runs the real Node binary (`process.execPath`), so the pid known here is the pid that works, and has a process
 * group of its own: Ctrl-C in a terminal reaches the supervisor alone, which then drains in order. A child leaves by
 * itself when its channel closes (channel.ts), so a killed supervisor leaves no orphans.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { MessageToChild, MessageToSupervisor, ReadyPayload } from './channel.ts';
import type { Tier } from './drain-order.ts';
import { beNice } from './niceness.ts';
import { type Ended, predecessors } from './predecessors.ts';
import type { ProcessLog } from './process-log.ts';
import { decideRestart, NEVER_STARTED, type RestartRecord } from './restart-policy.ts';
import { SILENCE_LIMIT, type SilenceLimit, SilenceWatch } from './silence.ts';

/** A process that is not ready by then is ended like one that died. */
const READY_LIMIT_MS = 120_000;

export interface ProcessSpec {
  name: string;
  tier: Tier;
  /** Absolute path of a TypeScript entry point. */
  entry: string;
  /** `endedPids`: of those it is started in place of, none at first. */
  args(endedPids: readonly number[]): string[];
  /** 0 to 19: how far it stands back when the cores are short. */
  niceness: number;
  /** Flags of Node, before the entry point. */
  nodeFlags: string[];
  /** Read at each start, so that what was learned since (the api's port) is passed on. */
  environment(): NodeJS.ProcessEnv;
}

interface Events {
  ready: [ReadyPayload];
  'gave-up': [string];
}

export class SupervisedProcess extends EventEmitter<Events> {
  readonly spec: ProcessSpec;
  readonly #log: ProcessLog;
  readonly #silenceLimit: SilenceLimit;
  #child: ChildProcess | null = null;
  #ended: readonly Ended[] = [];
  #record: RestartRecord = NEVER_STARTED;
  #readyAt: number | null = null;
  #stopping = false;
  #restartTimer: NodeJS.Timeout | null = null;

  constructor(spec: ProcessSpec, log: ProcessLog, silenceLimit = SILENCE_LIMIT) {
    super();
    this.spec = spec;
    this.#log = log;
    this.#silenceLimit = silenceLimit;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  start(): void {
    if (this.#stopping) return;
    const { spec } = this;
    this.#ended = predecessors(this.#ended, performance.now());
    const endedPids = this.#ended.map(({ pid }) => pid);
    const child = fork(spec.entry, spec.args(endedPids), {
      execArgv: spec.nodeFlags,
      env: spec.environment(),
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#child = child;
    if (child.pid !== undefined) beNice(child.pid, spec.niceness);
    this.#readyAt = null;
    this.#log.info(spec.name, `started as process ${child.pid}`);
    this.#log.follow(spec.name, child.stdout, child.stderr);
    const tooLate = setTimeout(() => {
      this.#log.warn(spec.name, `not ready within ${READY_LIMIT_MS} ms`);
      child.kill('SIGKILL');
    }, READY_LIMIT_MS);
    const silence = this.#silenceWatch(child);
    child.on('message', (message: MessageToSupervisor) => {
      if (message?.type === 'alive') silence.heard();
      if (message?.type !== 'ready') return;
      clearTimeout(tooLate);
      this.#readyAt = performance.now();
      const { type: _, ...payload } = message;
      this.emit('ready', payload);
    });
    child.on('error', (error) => this.#log.warn(spec.name, error.message));
    child.once('exit', (code, signal) => {
      clearTimeout(tooLate);
      silence.end();
      this.#child = null;
      if (child.pid !== undefined)
        this.#ended = [...this.#ended, { pid: child.pid, atMs: performance.now() }];
      this.#died(code, signal ?? `exit code ${code}`);
    });
  }

  #silenceWatch(child: ChildProcess): SilenceWatch {
    const { lookEveryMs, looks } = this.#silenceLimit;
    return new SilenceWatch(this.#silenceLimit, () => {
      this.#log.warn(
        this.spec.name,
        `its event loop has not turned for ${lookEveryMs * looks} ms, so it is killed`,
      );
      child.kill('SIGKILL');
    });
  }

  #died(exitCode: number | null, how: string): void {
    if (this.#stopping) return;
    const { name, tier } = this.spec;
    const readyForMs = this.#readyAt === null ? null : performance.now() - this.#readyAt;
    const decision = decideRestart(this.#record, { tier, exitCode, readyForMs }, Math.random());
    this.#record = decision.record;
    if (decision.kind === 'give-up') {
      this.emit('gave-up', how);
      return;
    }
    if (decision.kind === 'restart')
      this.#log.warn(name, `ended (${how}), restarted in ${decision.afterMs} ms`);
    else
      this.#log.warnSeldom(
        name,
        `ended (${how}): it was refused for what it has just said, and will be until that is mended. It is tried again after ever longer pauses, up to a minute`,
      );
    this.#restartTimer = setTimeout(() => this.start(), decision.afterMs);
  }

  /** Tells the process that it will soon be asked to leave. It goes on until then. */
  prepareToStop(): void {
    const prepare: MessageToChild = { type: 'prepare' };
    if (this.#child?.connected) this.#child.send(prepare, () => undefined);
  }

  /** Asks the process to leave and resolves once it has; kills it after `limitMs`. Not restarted any more. */
  async stop(limitMs: number): Promise<void> {
    this.#stopping = true;
    if (this.#restartTimer !== null) clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (child === null) return;
    const exited = once(child, 'exit');
    const drain: MessageToChild = { type: 'drain' };
    if (child.connected) child.send(drain, () => undefined);
    // A child that does not listen to its channel yet (it is still loading) ends by the signal.
    if (this.#readyAt === null) child.kill('SIGTERM');
    const left = await Promise.race([
      exited.then(() => true),
      delay(Math.max(0, limitMs), false, { ref: false }),
    ]);
    if (left) return;
    this.#log.warn(this.spec.name, 'did not leave in time and was killed');
    child.kill('SIGKILL');
    await exited;
  }

  kill(): void {
    this.#stopping = true;
    this.#child?.kill('SIGKILL');
  }
}
