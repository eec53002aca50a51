import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { predecessors } from '../../src/supervise/predecessors.ts';
import { ProcessLog } from '../../src/supervise/process-log.ts';
import { SupervisedProcess } from '../../src/supervise/supervised-process.ts';

describe('whom a process follows', () => {
  const ended = [
    { pid: 7, atMs: 1_000 },
    { pid: 8, atMs: 20_000 },
  ];

  test('each that has ended in its place within three leases', () => {
    expect(predecessors(ended, 20_100)).toEqual(ended);
    expect(predecessors(ended, 31_000)).toEqual(ended.slice(1));
    expect(predecessors(ended, 60_000)).toEqual([]);
  });

  test('at most the last sixteen: the protocol takes no more', () => {
    const many = Array.from({ length: 40 }, (_, pid) => ({ pid: pid + 1, atMs: 0 }));
    expect(predecessors(many, 1).map(({ pid }) => pid)).toEqual(many.slice(24).map(({ pid }) => pid));
  });

  test('told at every start, also after one that died before it was ready', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'spillway-predecessors-'));
    const entry = join(directory, 'short-lived.js');
    writeFileSync(entry, 'process.exit(3);\n');
    const log = new ProcessLog(join(directory, 'log'), () => undefined);
    const told: (readonly number[])[] = [];
    const begun: (number | null)[] = [];
    const shortLived: SupervisedProcess = new SupervisedProcess(
      {
        name: 'short-lived',
        tier: 'worker',
        entry,
        args: (endedPids) => {
          told.push(endedPids);
          queueMicrotask(() => begun.push(shortLived.pid));
          return [];
        },
        niceness: 0,
        nodeFlags: [],
        environment: () => process.env,
      },
      log,
    );
    try {
      const gaveUp = once(shortLived, 'gave-up');
      shortLived.start();
      await gaveUp;
      expect(told).toEqual([[], begun.slice(0, 1), begun.slice(0, 2)]);
    } finally {
      shortLived.kill();
      log.close();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
