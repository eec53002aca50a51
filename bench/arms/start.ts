/** From the command to the ready line: on an empty data directory, and again on one that exists. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSystem } from '../../apps/api/test/system/started-system.ts';
import { type Figure, figure, median } from '../figures.ts';

const LATER_STARTS = 3;

export async function startArm(): Promise<Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'spillway-'));
  try {
    const [first, ...later] = await repeat(1 + LATER_STARTS, async () => {
      const system = await startSystem({ dataDir });
      const drainMs = await system.stop();
      return { readyMs: system.readyAfterMs, drainMs };
    });
    return [
      figure('first start with everything installed', (first?.readyMs ?? Number.NaN) / 1000, 's'),
      figure('later starts', median(later.map(({ readyMs }) => readyMs)) / 1000, 's', { atMost: 10 }, later),
      figure('drain on SIGTERM', Math.max(...later.map(({ drainMs }) => drainMs)) / 1000, 's', {
        atMost: 10,
      }),
    ];
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function repeat<T>(times: number, run: () => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let time = 0; time < times; time++) results.push(await run());
  return results;
}
