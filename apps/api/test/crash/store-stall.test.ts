/** A drill's lock on the store: really held, and never for longer than it may be, whatever becomes of its holder. */
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../../src/adapters/store-postgres/open.ts';
import { type Store, StoreError } from '../../src/data-plane/ports.ts';
import { EmbeddedStoreDatabase } from '../fixtures/embedded-store-database.ts';
import { type StartedProcess, startProcess } from '../fixtures/started-process.ts';

const HOLD_LIMIT_MS = 2_500;
/** What a busy machine may take for a statement. */
const SLACK_MS = 1_500;

let database: EmbeddedStoreDatabase;
let store: Store;
let holder: StartedProcess | null = null;

beforeAll(async () => {
  database = await EmbeddedStoreDatabase.start(['--hold-limit-ms', String(HOLD_LIMIT_MS)]);
  store = await openPostgresStore({ url: database.url });
  await store.migrate();
});
afterEach(async () => {
  holder?.child.kill('SIGKILL');
  await holder?.exit;
  holder = null;
});
afterAll(async () => {
  await store?.close();
  await database?.remove();
});

/** How long a writer waited, ms. */
async function write(): Promise<number> {
  const from = performance.now();
  await store.claim('live');
  return performance.now() - from;
}

function stall(forMs: number, signal = new AbortController().signal) {
  const taken = Promise.withResolvers<void>();
  const ended = store.stall({ forMs, signal, stalled: () => taken.resolve() });
  ended.catch(taken.reject);
  taken.promise.catch(() => undefined);
  return { taken: taken.promise, ended };
}

async function stallElsewhere(forMs: number): Promise<StartedProcess> {
  holder = startProcess(fileURLToPath(new URL('./stalling-process.ts', import.meta.url)), [
    database.url,
    String(forMs),
  ]);
  await holder.ready;
  return holder;
}

describe('a stalled store', () => {
  it('keeps its writers waiting for as long as it was asked to, and no longer', async () => {
    const { taken, ended } = stall(1_200);
    await taken;
    const waitedMs = await write();
    await ended;
    expect(waitedMs).toBeGreaterThan(1_100);
    expect(waitedMs).toBeLessThan(1_200 + SLACK_MS);
    expect(await write()).toBeLessThan(SLACK_MS);
  });

  it('holds for longer than a silent transaction may: its holder says that it is alive', async () => {
    const { taken, ended } = stall(HOLD_LIMIT_MS + 1_500);
    await taken;
    expect(await write()).toBeGreaterThan(HOLD_LIMIT_MS + 1_400);
    await ended;
  });

  it('goes on at once when the stall is called off', async () => {
    const calledOff = new AbortController();
    const { taken, ended } = stall(20_000, calledOff.signal);
    await taken;
    const waited = write();
    calledOff.abort();
    expect(await waited).toBeLessThan(SLACK_MS);
    await ended;
    await expect(stall(1_000, calledOff.signal).ended).rejects.toThrow('called off');
  });

  it('goes on at once when its holder is killed', async () => {
    const { child, exit } = await stallElsewhere(20_000);
    const waited = write();
    child.kill('SIGKILL');
    await exit;
    expect(await waited).toBeLessThan(SLACK_MS);
  });

  it('goes on soon when its holder is frozen, long before the stall was to end', async () => {
    const { child } = await stallElsewhere(25_000);
    child.kill('SIGSTOP');
    const waitedMs = await write();
    expect(waitedMs).toBeGreaterThan(500);
    expect(waitedMs).toBeLessThan(2 * HOLD_LIMIT_MS + SLACK_MS);
  });

  it('tells a holder that was frozen that it has lost the lock', async () => {
    const { child, exit, output } = await stallElsewhere(25_000);
    child.kill('SIGSTOP');
    await write();
    child.kill('SIGCONT');
    expect((await exit).code).not.toBe(0);
    expect(output.stderr).toContain('ended the stall before its time');
  });

  it('is refused when the lock is not to be had, and holds up nobody then', async () => {
    const first = stall(7_000);
    await first.taken;
    const from = performance.now();
    const refusal = await stall(1_000).ended.catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(StoreError);
    expect(refusal).toMatchObject({ code: 'store_unavailable' });
    expect(performance.now() - from).toBeLessThan(5_000 + SLACK_MS);
    await first.ended;
    expect(await write()).toBeLessThan(SLACK_MS);
  });

  it.each([0, -1, 30_001, Number.NaN])('is refused for %d ms', async (forMs) => {
    await expect(stall(forMs).ended).rejects.toThrow(RangeError);
  });
});
