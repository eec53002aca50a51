/**
 * Where the processes' words go: all of them into one file of JSON lines in the data directory, warnings and worse to
 * stderr as well. stdout carries the ready line only. What a process that is started again and again says at each of its ends is a warning once a
 * minute, and else in the file alone.
 */
import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { systemClock } from '../data-plane/clock.ts';
import { Seldom } from '../data-plane/seldom.ts';

const FILE_LENGTH_MAX_BYTES = 10 * 1024 * 1024;
const FILES_KEPT = 3;
const LINE_LENGTH_MAX = 64 * 1024;
const ERROR_DEPTH_MAX = 4;
const LEVEL_INFO = 30;
const LEVEL_WARN = 40;

export class ProcessLog {
  readonly #path: string;
  readonly #warn: (line: string) => void;
  #file: number;
  #lengthBytes: number;
  /** Of each process the plain lines on stderr, and what is warned of it seldom. */
  readonly #plain = new Map<string, Seldom>();
  readonly #seldom = new Map<string, Seldom>();

  constructor(path: string, warn: (line: string) => void = (line) => process.stderr.write(`${line}\n`)) {
    this.#path = path;
    this.#warn = warn;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#file = openSync(path, 'a', 0o600);
    this.#lengthBytes = statSync(path).size;
  }

  info(name: string, msg: string): void {
    this.#record(name, LEVEL_INFO, { msg });
  }

  warn(name: string, msg: string): void {
    this.#record(name, LEVEL_WARN, { msg });
  }

  /** Of what may go on for long. */
  warnSeldom(name: string, msg: string): void {
    this.#record(name, levelOf(this.#seldom, name, msg), { msg });
  }

  /** Takes over a child's stdout and stderr. Lines of pino keep their level; other lines on stderr are warnings. */
  follow(name: string, stdout: Readable | null, stderr: Readable | null): void {
    forEachLine(stdout, (line) => this.#line(name, line, () => LEVEL_INFO));
    forEachLine(stderr, (line) => this.#line(name, line, () => levelOf(this.#plain, name, line)));
  }

  close(): void {
    closeSync(this.#file);
  }

  #line(name: string, line: string, plainLevel: () => number): void {
    const record = parsePino(line);
    this.#record(name, record?.level ?? plainLevel(), record ?? { msg: line });
  }

  #record(name: string, level: number, record: { msg?: unknown; err?: unknown }): void {
    this.#write(`${JSON.stringify({ time: Date.now(), ...record, level, process: name })}\n`);
    if (level < LEVEL_WARN) return;
    this.#warn(`${name}: ${[record.msg, errorInWords(record.err)].filter(Boolean).join(': ')}`);
  }

  /** A full disk must not end the supervisor: the line is lost, the processes go on. */
  #write(text: string): void {
    try {
      if (this.#lengthBytes + text.length > FILE_LENGTH_MAX_BYTES) this.#rotate();
      this.#lengthBytes += writeSync(this.#file, text);
    } catch (error) {
      this.#warn(`log: a line is lost: ${(error as Error).message}`);
    }
  }

  #rotate(): void {
    closeSync(this.#file);
    for (let age = FILES_KEPT - 1; age > 0; age--) {
      try {
        renameSync(age === 1 ? this.#path : `${this.#path}.${age - 1}`, `${this.#path}.${age}`);
      } catch {
        // there are fewer files than may be kept
      }
    }
    this.#file = openSync(this.#path, 'a', 0o600);
    this.#lengthBytes = 0;
  }
}

function levelOf(said: Map<string, Seldom>, name: string, words: string): number {
  const own = said.get(name) ?? new Seldom(systemClock);
  said.set(name, own);
  return own.isDue(words) ? LEVEL_WARN : LEVEL_INFO;
}

/** As `log.ts` describes it: what it says, and what each that it was caused by says beyond that. Of one without a message, its code. */
function errorInWords(error: unknown, depth = 0): string {
  if (typeof error !== 'object' || error === null || depth > ERROR_DEPTH_MAX) return '';
  const { message, code, cause, errors } = error as Record<string, unknown>;
  const own = [message, code].find((text) => typeof text === 'string' && text !== '') ?? '';
  const causes = [cause, ...(Array.isArray(errors) ? errors : [])].map((one) => errorInWords(one, depth + 1));
  const more = [...new Set(causes)].filter((words) => words !== '' && !String(own).includes(words));
  return [own, more.join(', ')].filter(Boolean).join(': ');
}

function parsePino(line: string): { level: number; msg?: unknown; err?: unknown } | null {
  if (!line.startsWith('{')) return null;
  try {
    const record = JSON.parse(line);
    return typeof record.level === 'number' ? record : null;
  } catch {
    return null;
  }
}

/** Lines by hand rather than by readline: a line without end must not grow without end. */
function forEachLine(stream: Readable | null, visit: (line: string) => void): void {
  let held = '';
  stream?.setEncoding('utf8');
  stream?.on('data', (text: string) => {
    const lines = (held + text).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) if (line !== '') visit(line);
    if (held.length > LINE_LENGTH_MAX) {
      visit(held);
      held = '';
    }
  });
  stream?.on('end', () => {
    if (held !== '') visit(held);
  });
}
