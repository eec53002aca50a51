import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProcessLog } from '../../src/supervise/process-log.ts';
import { adminTokenOf, forgetReplacedAdminToken, replacedAdminToken } from '../../src/supervise/secrets.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spillway-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

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
