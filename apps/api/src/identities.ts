/** Which store and which streams a worker's settings lead it to. For the entry points alone. */
import type { Identities, Identity } from '@spillway/shared/api/worker-protocol';
import { shownDatabase } from './postgres-target.ts';

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

  async function told(what: keyof Identities, read: Read | null): Promise<Identities> {
    if (read === null) return {};
    try {
      const identity = await read();
      return identity === undefined ? {} : { [what]: identity };
    } catch (error) {
      warn({ err: error }, `what the ${what} is known by could not be read`);
      return { [what]: null };
    }
  }

  return async () => {
    const both = await Promise.all([told('store', store), told('streams', streams)]);
    return { ...both[0], ...both[1] };
  };
}

export async function storeIdentityOf(
  store: { identity(): Promise<string> },
  url: string,
): Promise<Identity> {
  return { id: await store.identity(), name: shownDatabase(url) };
}

/** Who asks while it is being read waits for the same answer, for a while. */
function remembered(read: Read): Read {
  let reading: ReturnType<Read> | null = null;
  return async () => {
    reading ??= read().catch((error: unknown) => {
      reading = null;
      throw error;
    });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    });
    return Promise.race([reading, late]).finally(() => clearTimeout(timer));
  };
}
