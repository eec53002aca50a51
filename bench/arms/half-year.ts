/** All six months to `completed`, with the memory of every process watched once a second. */
import { setTimeout as delay } from 'node:timers/promises';
import { appliedIn, readBackfill, startBackfill } from '../../apps/api/test/system/backfills.ts';
import { type Figure, figure } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';

export async function halfYearArm(): Promise<Figure[]> {
  const system = await quietSystem();
  try {
    const from = performance.now();
    const { id } = await startBackfill(system, { window: halfYear, limits: { share: 1 } });
    const samples: { seconds: number; rssMiB: number; pssMiB: number }[] = [];
    let state = 'queued';
    let applied = 0;
    let verified = '';
    let largest: Record<string, number> = {};
    let appliedSeconds = Number.NaN;
    while (state !== 'completed') {
      await delay(1_000);
      const processes = system.processes();
      const sum = (of: 'rssBytes' | 'pssBytes') =>
        processes.reduce((total, process) => total + process[of], 0) / 2 ** 20;
      const sample = {
        seconds: (performance.now() - from) / 1000,
        rssMiB: sum('rssBytes'),
        pssMiB: sum('pssBytes'),
      };
      if (samples.every(({ pssMiB }) => pssMiB <= sample.pssMiB)) {
        largest = Object.fromEntries(
          processes.map(({ pid, command, rssBytes, pssBytes }) => [
            `${pid} ${command.split(' ').slice(1).join(' ').split('/').at(-1)}`,
            [rssBytes, pssBytes].map((bytes) => Math.round(bytes / 2 ** 20)),
          ]),
        ) as never;
      }
      samples.push(sample);
      const backfill = await readBackfill(system, id);
      state = backfill.state;
      if (state === 'failed') throw new Error(`failed: ${JSON.stringify(backfill.failure)}`);
      if (state !== 'running' && Number.isNaN(appliedSeconds)) appliedSeconds = sample.seconds;
      applied = appliedIn(backfill);
      verified = backfill.verification.state;
    }
    const peak = Math.max(...samples.map(({ rssMiB }) => rssMiB));
    const afterMinute = samples.filter(({ seconds }) => seconds >= 60).map(({ rssMiB }) => rssMiB);
    const growth = slopePerMinute(samples.filter(({ seconds }) => seconds >= 60));
    return [
      figure(
        'six months: events applied or already there',
        applied,
        'events',
        { atLeast: 2_999_994 },
        { verified, seconds: samples.at(-1)?.seconds, appliedSeconds },
      ),
      figure(
        'six months: resident memory of all processes, peak',
        peak,
        'MiB',
        { atMost: 1_536 },
        { peakShared: Math.max(...samples.map(({ pssMiB }) => pssMiB)), largest },
      ),
      figure('six months: resident memory after the first minute, growth', growth, 'MiB/min', null, {
        from: afterMinute[0],
        to: afterMinute.at(-1),
        highest: Math.max(...afterMinute),
      }),
    ];
  } finally {
    await system.remove();
  }
}

/** Least squares over the samples. */
function slopePerMinute(samples: readonly { seconds: number; rssMiB: number }[]): number {
  if (samples.length < 2) return Number.NaN;
  const mean = (of: (sample: { seconds: number; rssMiB: number }) => number) =>
    samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;
  const meanSeconds = mean(({ seconds }) => seconds);
  const meanMiB = mean(({ rssMiB }) => rssMiB);
  const covariance = mean(({ seconds, rssMiB }) => (seconds - meanSeconds) * (rssMiB - meanMiB));
  return (covariance / mean(({ seconds }) => (seconds - meanSeconds) ** 2)) * 60;
}
