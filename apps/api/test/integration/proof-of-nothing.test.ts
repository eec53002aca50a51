import { afterAll, beforeAll, expect, test } from 'vitest';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease } from '../../src/control-plane/workers/complete.ts';
import { matched, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let engine: ControlDatabase;
beforeAll(async () => {
  engine = await startControlDatabase();
});
afterAll(async () => await engine?.end());

/** One lane, nothing published, and a proof that compared nothing with nothing; each attempt has quarantined so many rows. */
async function proveNothing(eventsPerHour: number | null, quarantined = 0) {
  const core = await openCore(engine.url, { sourceIds: ['east'], eventsPerHour });
  try {
    const { id } = await core.start();
    const workerId = await core.join();
    for (let round = 0; round < 20; round++) {
      await core.pass();
      const { leases } = await claimLeases(core.ctx, workerId, { max: 8 });
      for (const { id: leaseId, fencingToken, kind } of leases) {
        const nothing = {
          ...matched,
          bucketsChecked: 0,
          bucketsMatched: 0,
          eventsChecked: 0,
          mismatches: [],
        };
        const verification = kind === 'verify' ? nothing : null;
        await completeLease(core.ctx, leaseId, {
          fencingToken,
          read: kind === 'verify' ? 0 : quarantined,
          published: 0,
          quarantined: kind === 'verify' ? 0 : quarantined,
          markers: [],
          verification,
        });
      }
      const backfill = await readBackfill(core.ctx, operator, id);
      if (backfill.state === 'completed' || backfill.state === 'failed') return backfill;
    }
    throw new Error('it did not end');
  } finally {
    await core.close();
  }
}

test('where events are expected and none is found the result is unavailable', async () => {
  const { state, verification } = await proveNothing(100);
  expect(state).toBe('completed');
  expect(verification).toMatchObject({
    state: 'unavailable',
    detail: expect.stringContaining('counted to hold 400 events'),
  });
});

test.each([0, null])('where %s are expected nothing found is a match', async (eventsPerHour) => {
  expect((await proveNothing(eventsPerHour)).verification.state).toBe('matched');
});

test.each([0, null])(
  'where %s are expected and every row was quarantined nothing is proved',
  async (eventsPerHour) => {
    const { progress, verification } = await proveNothing(eventsPerHour, 7);
    expect(progress.eventsQuarantined).toBeGreaterThan(0);
    expect(verification).toMatchObject({
      state: 'unavailable',
      detail: expect.stringContaining(
        `no event was found here, and ${progress.eventsQuarantined} rows that are none`,
      ),
    });
  },
);
