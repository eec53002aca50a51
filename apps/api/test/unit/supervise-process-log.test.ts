import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLog } from '../../src/log.ts';
import { ProcessLog } from '../../src/supervise/process-log.ts';
import { adminTokenOf, forgetReplacedAdminToken, replacedAdminToken } from '../../src/supervise/secrets.ts';

const refused = (host: string) => Object.assign(new Error(`connect to ${host}`), { code: 'ECONNREFUSED' });

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-log-'));
});
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

describe('the log of the processes', () => {
  it('keeps every line as JSON and repeats warnings, whatever the cuts between chunks', () => {
    const warned: string[] = [];
    const path = join(directory, 'logs/spillway.log');
    const log = new ProcessLog(path, (line) => void warned.push(line));
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    log.follow('api', stdout, stderr);
    stdout.emit('data', '{"level":30,"msg":"fine"}\n{"level":40,"ms');
    stdout.emit('data', 'g":"slow","err":{"message":"disk"}}\nplain\n');
    stderr.emit('data', 'Error: bad');
    stderr.emit('end');
    log.close();
    const lines = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ level, msg, process }) => [level, msg, process])).toEqual([
      [30, 'fine', 'api'],
      [40, 'slow', 'api'],
      [30, 'plain', 'api'],
      [40, 'Error: bad', 'api'],
    ]);
    expect(warned).toEqual(['api: slow: disk', 'api: Error: bad']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each<[string, Error, string]>([
    [
      'its causes',
      new Error('no lease', { cause: new Error('no connection', { cause: new Error('reset') }) }),
      'no lease: no connection: reset',
    ],
    [
      'each address that was tried of a host, which says nothing of its own',
      Object.assign(new AggregateError([refused('::1'), refused('127.0.0.1')]), { code: 'ECONNREFUSED' }),
      'ECONNREFUSED: connect to ::1, connect to 127.0.0.1',
    ],
    [
      'no cause that its message has named',
      new Error('no answer: reset', { cause: new Error('reset') }),
      'no answer: reset',
    ],
    [
      'no secret of a cause',
      new Error('Failed query: select $1\nparams: canary', {
        cause: new AggregateError([new Error('postgres://ada:canary@db refused')], 'all failed'),
      }),
      'Failed query: select $1: all failed: postgres://ada:[redacted]@db refused',
    ],
  ])('names of an error that is warned of %s', (_what, err, words) => {
    const warned: string[] = [];
    const log = new ProcessLog(join(directory, 'log'), (line) => void warned.push(line));
    const stdout = new PassThrough();
    log.follow('worker', stdout, null);
    createLog('worker', { write: (line) => void stdout.emit('data', line) }).warn({ err }, 'failed');
    log.close();
    expect(warned).toEqual([`worker: failed: ${words}`]);
  });

  it('says of what is away where it was, in a line without what was asked of it', () => {
    const query = new Error('Failed query: insert into api_lease values ($1)\nparams: canary', {
      cause: refused('127.0.0.1:5432'),
    });
    const written: string[] = [];
    createLog('api', { write: (line) => void written.push(line) }).warn({ err: query }, 'could not hold it');
    expect(JSON.parse(written.join(''))).toMatchObject({
      err: { type: 'Error', code: 'ECONNREFUSED', message: 'connect to 127.0.0.1:5432' },
    });
    expect(written.join('')).not.toMatch(/insert|canary|stack/);
  });

  it('warns once a minute of what a process says again at each of its ends; the file has all of it', () => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout'] });
    const warned: string[] = [];
    const path = join(directory, 'log');
    const log = new ProcessLog(path, (line) => void warned.push(line));
    const end = (why = 'other streams') => {
      const stderr = new PassThrough();
      log.follow('apply', null, stderr);
      stderr.emit('data', `${why}\n`);
      log.warnSeldom('apply', 'ended: refused');
    };
    for (let passedMs = 0; passedMs < 60_000; passedMs += 10_000) {
      end();
      vi.advanceTimersByTime(10_000);
    }
    expect(warned.splice(0)).toEqual(['apply: other streams', 'apply: ended: refused']);
    end();
    expect(warned.splice(0)).toEqual(['apply: other streams', 'apply: ended: refused']);
    end('another store');
    expect(warned).toEqual(['apply: another store']);
    log.close();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(16);
  });

  it('never holds more than three files of 10 MiB, nor a line without end', () => {
    const log = new ProcessLog(join(directory, 'log'), () => undefined);
    const stdout = new PassThrough();
    log.follow('api', stdout, null);
    for (let written = 0; written < 60; written++) stdout.emit('data', 'x'.repeat(1024 * 1024));
    log.close();
    expect(readdirSync(directory).sort()).toEqual(['log', 'log.1', 'log.2']);
    for (const name of readdirSync(directory))
      expect(statSync(join(directory, name)).size).toBeLessThanOrEqual(10 * 1024 * 1024);
  });
});

describe('the admin token', () => {
  it('is made once, private, and replaced by one that is set', () => {
    const fresh = join(directory, 'data', 'fresh');
    adminTokenOf(fresh, null);
    expect(statSync(fresh).mode & 0o777).toBe(0o700);
    const made = adminTokenOf(directory, null);
    expect(Buffer.from(made, 'base64url')).toHaveLength(32);
    expect(adminTokenOf(directory, null)).toBe(made);
    const given = 'set-by-the-operator-with-32-characters';
    expect(adminTokenOf(directory, given)).toBe(given);
    expect(adminTokenOf(directory, null)).toBe(given);
    // What was sealed with it has still to be opened, also when the next one is replaced before that was done.
    expect(replacedAdminToken(directory)).toBe(made);
    expect(statSync(join(directory, 'admin-token.replaced')).mode & 0o777).toBe(0o600);
    const next = `${given}-next`;
    expect([adminTokenOf(directory, next), replacedAdminToken(directory)]).toEqual([next, made]);
    forgetReplacedAdminToken(directory);
    expect([adminTokenOf(directory, null), replacedAdminToken(directory)]).toEqual([next, null]);
    expect([adminTokenOf(directory, given), replacedAdminToken(directory)]).toEqual([given, next]);
    expect(statSync(join(directory, 'admin-token')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(directory, 'admin-token.unfinished'))).toBe(false);
  });
});
