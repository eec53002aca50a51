/** Where the api listens, when it cannot. In words: who reads them knows the settings, not the system's codes. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { type Settings, SettingsError } from './config.ts';

const PATIENCE_MS = 5_000;
const AGAIN_MS = 100;

type Place = Pick<Settings, 'host' | 'port'>;

export class AddressInUseError extends Error {}
/** Not yet, perhaps: one that moves between machines, or is given out late. */
export class AddressMissingError extends Error {}

/** What an attempt to listen ended with, as what it means for the settings; anything else stays what it is. */
export function inWordsOfSettings(error: unknown, { host, port }: Place): unknown {
  const at = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'EADDRINUSE':
      return new AddressInUseError(
        `${at} is in use by another process: stop that one, or set SPILLWAY_PORT to another port (0: any free one)`,
      );
    case 'EACCES':
      return new SettingsError([`SPILLWAY_PORT ${port} is one that this user may not listen on`]);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new AddressMissingError(`SPILLWAY_HOST ${host} is no address of this machine`);
    default:
      return error;
  }
}

/**
 * Listens there and stops at once: before anything is started that would have to be ended again. It is tried for `patienceMs`, as the api of
 * an installation that was killed leaves by itself a moment later.
 *
 * @throws AddressInUseError, AddressMissingError, SettingsError
 */
export async function refuseTakenAddress(place: Place, patienceMs = PATIENCE_MS): Promise<void> {
  const giveUpAt = performance.now() + patienceMs;
  for (;;) {
    try {
      return await listenOnce(place);
    } catch (error) {
      if (!(error instanceof AddressInUseError) || performance.now() >= giveUpAt) throw error;
      await pause(AGAIN_MS);
    }
  }
}

async function listenOnce(place: Place): Promise<void> {
  const server = createServer();
  try {
    server.listen({ host: place.host, port: place.port });
    await once(server, 'listening');
  } catch (error) {
    throw inWordsOfSettings(error, place);
  }
  server.close();
  await once(server, 'close');
}
