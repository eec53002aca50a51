import { type ChildProcess, spawn } from 'node:child_process';

export interface Step {
  name: string;
  /** A command of node_modules/.bin and its arguments. */
  command: [string, ...string[]];
  env?: Record<string, string>;
}

const running = new Set<ChildProcess>();
let stoppedBy: NodeJS.Signals | undefined;
const times: string[] = [];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stoppedBy = signal;
    for (const child of running) child.kill(signal);
    if (running.size === 0) process.exit(130);
  });
}

/** Runs one step with its output passed through; true when it exited with 0. Ends the process when a signal ended it. */
export function runStep(step: Step): Promise<boolean> {
  console.log(`\n${headOf(step)}`);
  return run(step, spawn(...commandOf(step), { stdio: 'inherit', env: environmentOf(step) }));
}

/**
 * Runs steps that use one core for much of their time, two at a time. What each says is held back until it has ended, so that it stands
 * together. Answers the names of those that failed.
 */
export async function runSteps(steps: readonly Step[]): Promise<string[]> {
  const failed: string[] = [];
  const waiting = [...steps];
  const work = async (): Promise<void> => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift())
      if (!(await runHeldBack(step))) failed.push(step.name);
  };
  await Promise.all([work(), work()]);
  return failed;
}

async function runHeldBack(step: Step): Promise<boolean> {
  const child = spawn(...commandOf(step), { stdio: ['ignore', 'pipe', 'pipe'], env: environmentOf(step) });
  const said: Buffer[] = [];
  for (const output of [child.stdout, child.stderr]) output.on('data', (chunk: Buffer) => said.push(chunk));
  return run(step, child, () => process.stdout.write(`\n${headOf(step)}\n${Buffer.concat(said)}`));
}

/** `ended`: before the line that tells how it went. */
async function run(step: Step, child: ChildProcess, ended = (): unknown => undefined): Promise<boolean> {
  const started = performance.now();
  running.add(child);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exitCode) => resolve(exitCode ?? 1));
  });
  running.delete(child);
  if (stoppedBy) process.exit(130);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const line = `${step.name}: ${code === 0 ? 'ok' : `failed (exit code ${code})`} in ${seconds} s`;
  times.push(line);
  ended();
  console.log(`── ${line}`);
  return code === 0;
}

/** Of every step that was run, a line each. */
export function timesOfSteps(): string {
  return times.join('\n');
}

function headOf(step: Step): string {
  return `── ${step.name}: ${step.command.join(' ')}`;
}

function commandOf({ command: [file, ...args] }: Step): [string, string[]] {
  return [file, args];
}

function environmentOf(step: Step): NodeJS.ProcessEnv {
  return { ...process.env, ...step.env };
}
