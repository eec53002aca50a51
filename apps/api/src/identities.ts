/** Which store and which streams a worker's settings lead it to. For the entry points alone. */
import { type Identities, type Identity, noIdentity } from '@spillway/shared/api/worker-protocol';
import { within } from './control-plane/within.ts';
import { unreadBecause } from './control-plane/workers/unread.ts';
import { systemClock } from './data-plane/clock.ts';
import { Seldom } from './data-plane/seldom.ts';

/** Undefined: it has none that lasts. */
type Read = () => Promise<Identity | undefined>;

/** Who joins is not kept from its other work by a server that is away. */
const PATIENCE_MS = 2_000;

/** Each is read until it is known, and then remembered: what the settings lead to does not change while a process lives. */
export function identitiesOf(
  reads: { readonly store?: Read; readonly streams: Read },
  warn: (fields: object, message: string) => void,
): () => Promise<Identities> {
  const store = reads.store === undefined ? null : remembered(reads.store);
  const streams = remembered(reads.streams);
  const said = { store: new Seldom(systemClock), streams: new Seldom(systemClock) };

  async function told(what: keyof Identities, read: Read | null): Promise<Identities> {
    if (read === null) return {};
    try {
      const identity = await read();
      return identity === undefined ? {} : { [what]: identity };
    } catch (error) {
      if (said[what].isDue(String(error)))
        warn({ err: error }, `what the ${what} is known by could not be read`);
      return { [what]: unreadBecause(error) };
    }
  }

  return async () => {
    const both = await Promise.all([told('store', store), told('streams', streams)]);
    return { ...both[0], ...both[1] };
  };
}

/** Who asks while it is being read waits for the same answer, for a while. A store that is still to be migrated is asked again. */
function remembered(read: Read): Read {
  let reading: ReturnType<Read> | null = null;
  return () => {
    reading ??= read();
    const asked = reading;
    const forget = () => {
      if (reading === asked) reading = null;
    };
    asked.then((identity) => identity?.id === noIdentity && forget(), forget);
    return within(asked, PATIENCE_MS);
  };
}
