/**
 * A quote of six months in ten-second subwindows: how long it takes over HTTP, and that nothing is read for it. The history's file is moved
 * away while the quotes are made, and nobody has it open: there is no byte that could be read.
 */
import { readdirSync, readFileSync, readlinkSync, renameSync } from 'node:fs';
import { flightsHistory } from '../../apps/api/src/demo/flights.ts';
import { pidOf } from '../../apps/api/test/system/roles.ts';
import type { StartedSystem } from '../../apps/api/test/system/started-system.ts';
import { type Figure, figure, median, percentile } from '../figures.ts';
import { halfYear, quietSystem } from '../flights.ts';
import { measured } from '../quick.ts';
import { type Asked, quoteBackfill } from '../quoted-run.ts';

const QUOTES = measured(500, 50);
const WARM_UP = 20;
const PERIOD_MS = 20;
const asked: Asked = { window: halfYear, sourceIds: ['east'], subwindow: 'PT10S' };

export async function quoteArm(): Promise<Figure[]> {
  const system = await quietSystem();
  const { file } = flightsHistory();
  try {
    const before = await quoteBackfill(system, asked);
    for (let count = 0; count < WARM_UP; count++) await quoteBackfill(system, asked);
    const api = await pidOf(system, 'api');
    const taken: number[] = [];
    const readFrom = readByCalls(api);
    const { openIn, last } = await without(file, async () => {
      let last = before;
      for (let count = 0; count < QUOTES; count++) {
        const from = performance.now();
        last = await quoteBackfill(system, asked);
        taken.push(performance.now() - from);
        const rest = PERIOD_MS - (performance.now() - from);
        if (rest > 0) await new Promise((resolve) => setTimeout(resolve, rest));
      }
      return { openIn: holdersOf(system, file), last };
    });
    const read = readByCalls(api) - readFrom;
    return [
      figure(
        'quote of six months in ten-second subwindows, p99',
        percentile(taken, 0.99),
        'ms',
        { atMost: 200 },
        {
          quotes: QUOTES,
          subwindows: last.subwindows,
          events: last.events,
          p50: median(taken),
          longest: Math.max(...taken),
        },
      ),
      figure(
        'the same, file moved away and open in no process: events that differ from the quote before',
        Math.abs((last.events?.likely ?? Number.NaN) - (before.events?.likely ?? Number.NaN)),
        'events',
        { atMost: 0 },
        { openIn },
      ),
      figure('the same: processes that hold the file open or mapped', openIn.length, 'processes', {
        atMost: 0,
      }),
      // Sockets of the database, of HTTP and of ticks are in it, too.
      figure('the same: all that the api read, an answer', read / QUOTES / 1024, 'KiB'),
    ];
  } finally {
    await system.remove();
  }
}

/** Put back in any case, also when the arm is broken off. */
async function without<T>(file: string, work: () => Promise<T>): Promise<T> {
  const away = `${file}.away`;
  const back = () => renameSync(away, file);
  renameSync(file, away);
  process.once('exit', back);
  try {
    return await work();
  } finally {
    process.off('exit', back);
    back();
  }
}

/** By every call of the process, from files and sockets, bytes. */
function readByCalls(pid: number): number {
  return Number(/^rchar: (\d+)$/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1] ?? Number.NaN);
}

/** Commands of the processes that have the file open or mapped, under whatever name. */
function holdersOf(system: StartedSystem, file: string): string[] {
  const name = file.split('/').at(-1) as string;
  return system
    .processes()
    .filter(({ pid }) => {
      const open = readdirSync(`/proc/${pid}/fd`).some((fd) => {
        try {
          return readlinkSync(`/proc/${pid}/fd/${fd}`).includes(name);
        } catch {
          // Closed since it was listed.
          return false;
        }
      });
      return open || readFileSync(`/proc/${pid}/maps`, 'utf8').includes(name);
    })
    .map(({ command }) => command);
}
