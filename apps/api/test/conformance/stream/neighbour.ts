import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AppendResult } from '../../../src/data-plane/ports.ts';

/** Another process at the same stream; see appending-process.ts. */
export class Neighbour {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  private constructor(child: ChildProcess, answers: AsyncIterator<string>) {
    this.#child = child;
    this.#answers = answers;
  }

  static async start(modulePath: string, place: string, name: string): Promise<Neighbour> {
    const script = fileURLToPath(new URL('appending-process.ts', import.meta.url));
    const child = spawn(process.execPath, [script, modulePath, place, name], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('no pipe to the neighbour');
    const neighbour = new Neighbour(child, createInterface({ input: child.stdout })[Symbol.asyncIterator]());
    await neighbour.#answer();
    return neighbour;
  }

  async append(count: number): Promise<AppendResult> {
    this.#child.stdin?.write(`${count}\n`);
    return (await this.#answer()) as AppendResult;
  }

  async leave(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.stdin?.end();
    const [code] = await exited;
    if (code !== 0) throw new Error(`the neighbour left with ${code}`);
  }

  async #answer(): Promise<unknown> {
    const { value, done } = await this.#answers.next();
    if (done) throw new Error('the neighbour has gone');
    return JSON.parse(value);
  }
}
