/** The demo as the arms start it, on the embedded default or on servers. What an operator does with it then is in the harness of the tests. */
import { quiet } from '../apps/api/test/system/backfills.ts';
import { type StartedSystem, startSystem } from '../apps/api/test/system/started-system.ts';
import { type StreamWitness, witnessStream } from '../apps/api/test/system/stream-witness.ts';
import { environmentOf, type Servers, startServers } from './by-hand/servers.ts';

export const january = { from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' };
export const halfYear = { from: '2001-01-01T00:00:00Z', to: '2001-07-01T00:00:00Z' };

/** `pnpm bench --servers stall`: the same arm on Redis and PostgreSQL. */
export const ON_SERVERS = '--servers';
const onServers = process.argv.includes(ON_SERVERS);

export interface QuietSystem extends StartedSystem {
  witness(stream: 'flights-live' | 'flights-replay'): Promise<StreamWitness>;
}

/** Started, counted, calibrated, and with nothing replaying. An arm that has servers of its own says so by its environment. */
export async function quietSystem(env: Record<string, string> = {}): Promise<QuietSystem> {
  const servers = onServers && env['SPILLWAY_STREAM_URL'] === undefined ? await startServers() : null;
  try {
    return await started(servers, env);
  } catch (error) {
    await servers?.stop();
    throw error;
  }
}

async function started(servers: Servers | null, env: Record<string, string>): Promise<QuietSystem> {
  const system = await startSystem({ env: { ...(servers === null ? {} : environmentOf(servers)), ...env } });
  try {
    await quiet(system);
    // Also that a slow machine is told from a stuck arm.
    process.stderr.write(`  ready after ${Math.round(system.readyAfterMs / 1000)} s, ${system.dataDir}\n`);
  } catch (error) {
    await system.remove();
    throw error;
  }
  return {
    ...system,
    witness: (stream) => witnessStream(servers ?? system.dataDir, stream),
    async remove() {
      try {
        await system.remove();
      } finally {
        await servers?.stop();
      }
    },
  };
}
