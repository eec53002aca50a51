/** The demo as the arms start it. What an operator does with it then is in the harness of the tests. */
import { quiet } from '../apps/api/test/system/backfills.ts';
import { type StartedSystem, startSystem } from '../apps/api/test/system/started-system.ts';

export const january = { from: '2001-01-01T00:00:00Z', to: '2001-02-01T00:00:00Z' };
export const halfYear = { from: '2001-01-01T00:00:00Z', to: '2001-07-01T00:00:00Z' };

/** Started, counted, calibrated, and with nothing replaying. */
export async function quietSystem(env: Record<string, string> = {}): Promise<StartedSystem> {
  const system = await startSystem({ env });
  try {
    await quiet(system);
    // Also that a slow machine is told from a stuck arm.
    process.stderr.write(`  ready after ${Math.round(system.readyAfterMs / 1000)} s, ${system.dataDir}\n`);
    return system;
  } catch (error) {
    await system.remove();
    throw error;
  }
}
