/**
 * `pnpm bench [--servers] [arm …]`: the figures of docs/measurements.md, measured on this machine, as JSON on stdout. Every arm starts
 * the real system on a data directory of its own, or on Redis and PostgreSQL, and stops it again.
 */
import { availableParallelism, cpus, totalmem } from 'node:os';
import { apiKilledArm } from './arms/api-killed.ts';
import { apiLatencyArm } from './arms/api-latency.ts';
import { budgetArm } from './arms/budget.ts';
import { byHandArm } from './arms/by-hand.ts';
import { calibrationArm } from './arms/calibration.ts';
import { commandsArm } from './arms/commands.ts';
import { fanOutArm } from './arms/fan-out.ts';
import { floorArm, fullStoreFloorArm } from './arms/floor.ts';
import { freshnessArm, sharedFreshnessArm } from './arms/freshness.ts';
import { frontierArm } from './arms/frontier.ts';
import { halfYearArm } from './arms/half-year.ts';
import { januaryArm } from './arms/january.ts';
import { meterArm } from './arms/meter.ts';
import { modelArm } from './arms/model.ts';
import { planArm } from './arms/plan.ts';
import { quoteArm } from './arms/quote.ts';
import { reconnectArm } from './arms/reconnect.ts';
import { releasedArm } from './arms/released.ts';
import { screensArm } from './arms/screens.ts';
import { durableServersArm, serversArm } from './arms/servers.ts';
import { soakArm } from './arms/soak.ts';
import { stallArm } from './arms/stall.ts';
import { startArm } from './arms/start.ts';
import { throttleArm } from './arms/throttle.ts';
import { workersArm } from './arms/workers.ts';
import type { Figure } from './figures.ts';
import { ON_SERVERS } from './flights.ts';

const arms: Record<string, () => Promise<Figure[]>> = {
  start: startArm,
  january: januaryArm,
  'half-year': halfYearArm,
  plan: planArm,
  throttle: throttleArm,
  commands: commandsArm,
  'api-latency': apiLatencyArm,
  'by-hand': byHandArm,
  servers: serversArm,
  'servers-durable': durableServersArm,
  workers: workersArm,
  freshness: freshnessArm,
  'freshness-shared': sharedFreshnessArm,
  stall: stallArm,
  released: releasedArm,
  reconnect: reconnectArm,
  'api-killed': apiKilledArm,
  floor: floorArm,
  'floor-full': fullStoreFloorArm,
  model: modelArm,
  quote: quoteArm,
  calibration: calibrationArm,
  meter: meterArm,
  frontier: frontierArm,
  budget: budgetArm,
  'fan-out': fanOutArm,
  screens: screensArm,
  soak: soakArm,
};

const asked = process.argv.slice(2).filter((argument) => argument !== ON_SERVERS);
const unknown = asked.filter((name) => !(name in arms));
if (unknown.length > 0)
  throw new Error(`no such arm: ${unknown.join(', ')}; there are ${Object.keys(arms).join(', ')}`);

const figures: Figure[] = [];
const failures: Record<string, string> = {};

const report = () => {
  const machine = {
    cores: availableParallelism(),
    model: cpus()[0]?.model.trim(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
  process.stdout.write(
    `${JSON.stringify({ measuredAt: new Date().toISOString(), machine, figures, failures }, null, 2)}\n`,
  );
};

// A run that is broken off reports what it has measured and leaves nothing running: what an arm started ends on the way out.
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)
  process.once(signal, () => {
    report();
    process.exit(code);
  });

for (const [name, run] of Object.entries(arms)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  process.stderr.write(`${name} …\n`);
  try {
    figures.push(...(await run()));
  } catch (error) {
    failures[name] = String(error);
  }
}

report();
process.exitCode = Object.keys(failures).length > 0 || figures.some(({ met }) => met === false) ? 1 : 0;
