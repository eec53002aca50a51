/** A thousand open control rooms: what the event stream costs the api, and what it costs a replay that runs meanwhile. */
import { setTimeout as delay } from 'node:timers/promises';
import { startBackfill } from '../../apps/api/test/system/backfills.ts';
import { cpuMsOf } from '../../apps/api/test/system/cpu.ts';
import { pidOf } from '../../apps/api/test/system/roles.ts';
import { eventClients } from '../event-clients.ts';
import { type Figure, figure } from '../figures.ts';
import { type QuietSystem, quietSystem } from '../flights.ts';
import { appliedOf, endReplay, lap } from '../measured-replay.ts';
import { measured } from '../quick.ts';

const CLIENTS = 1_000;
const EVENTS_PER_SECOND = 10_000;
const BEGINNING_MS = 6_000;
const WATCHED_MS = measured(20_000, 8_000);

export async function fanOutArm(): Promise<Figure[]> {
  const system = await quietSystem();
  try {
    const { id } = await startBackfill(system, {
      window: lap(1),
      limits: { eventsPerSecond: EVENTS_PER_SECOND },
    });
    await delay(BEGINNING_MS);
    const before = await watch(system, id);
    const clients = await eventClients(system, CLIENTS);
    await delay(BEGINNING_MS);
    clients.telemetryEvents();
    const bytesBefore = clients.bytes();
    const during = await watch(system, id);
    const told = clients.telemetryEvents();
    const bytes = clients.bytes() - bytesBefore;
    const open = clients.open();
    clients.close();
    await delay(BEGINNING_MS);
    const after = await watch(system, id);
    await endReplay(system, id);

    const alone = (before.eventsPerSecond + after.eventsPerSecond) / 2;
    const ticks = Math.floor(during.seconds);
    return [
      figure(
        `event stream with ${CLIENTS} clients: CPU of the api`,
        during.apiCores,
        'cores',
        { atMost: 0.5 },
        {
          without: [before.apiCores, after.apiCores],
          bytesPerClientAndSecond: Math.round(bytes / CLIENTS / during.seconds),
        },
      ),
      figure(
        'the same: clients that missed a telemetry event, or were dropped',
        told.filter((events) => events < ticks - 1).length + (CLIENTS - open),
        'clients',
        { atMost: 0 },
        { ticks, fewest: Math.min(...told), open },
      ),
      figure(
        'the same: replay ÷ replay without them',
        during.eventsPerSecond / alone,
        '×',
        { atLeast: 0.95 },
        {
          asked: EVENTS_PER_SECOND,
          before: before.eventsPerSecond,
          during: during.eventsPerSecond,
          after: after.eventsPerSecond,
        },
      ),
    ];
  } finally {
    await system.remove();
  }
}

async function watch(system: QuietSystem, id: string) {
  const api = await pidOf(system, 'api');
  const began = { atMs: performance.now(), cpuMs: cpuMsOf(api), applied: await appliedOf(system, id) };
  await delay(WATCHED_MS);
  const applied = await appliedOf(system, id);
  const seconds = (performance.now() - began.atMs) / 1000;
  return {
    seconds,
    apiCores: (cpuMsOf(api) - began.cpuMs) / 1000 / seconds,
    eventsPerSecond: (applied - began.applied) / seconds,
  };
}
