/** Stalls a store as the api does in a drill, and says when it has the lock: `stalling-process.ts URL FOR_MS`. */
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';

const [url, forMs] = process.argv.slice(2);
if (url === undefined) throw new Error('usage: stalling-process.ts URL FOR_MS');
const store = await openPostgresStore({ url });
await store.stall({
  forMs: Number(forMs),
  signal: new AbortController().signal,
  stalled: () => process.send?.({ url }),
});
await store.close();
process.disconnect?.();
