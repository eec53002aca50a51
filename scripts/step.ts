import { type ChildProcess, spawn } from 'node:child_process';

export interface Step {
  name: string;
  /** A command of node_modules/.bin and its arguments. */
  command: [string, ...string[]];
  env?: Record<string, string>;
}

let running: ChildProcess | undefined;
let stoppedBy: NodeJS.Signals | undefined;
const times: string[] = [];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    stoppedBy = signal;
    if (running) running.kill(signal);
    else process.exit(130);
  });
}

/** Runs one step with its output passed through; true when it exited with 0. Ends the process when a signal ended it. */
export async function runStep(step: Step): Promise<boolean> {
  console.log(`\n── ${step.name}: ${step.command.join(' ')}`);
  const [file, ...args] = step.command;
  const started = performance.now();
  const code = await new Promise<number>((resolve, reject) => {
    running = spawn(file, args, { stdio: 'inherit', env: { ...process.env, ...step.env } });
    running.once('error', reject);
    running.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  running = undefined;
  if (stoppedBy) process.exit(130);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const line = `${step.name}: ${code === 0 ? 'ok' : `failed (exit code ${code})`} in ${seconds} s`;
  times.push(line);
  console.log(`── ${line}`);
  return code === 0;
}

/** Of every step that was run, a line each. */
export function timesOfSteps(): string {
  return times.join('\n');
}
