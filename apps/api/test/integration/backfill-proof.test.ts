import type { CompleteLease, Lease } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../../src/control-plane/backfill/brake.ts';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { readBackfill, readReceipt } from '../../src/control-plane/backfill/queries.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { unitOfWork } from '../../src/control-plane/database/database.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
import { endLeasesOf } from '../../src/control-plane/workers/lost-leases.ts';
import { type Core, matched, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database.end());

const read = (id: string) => readBackfill(core.ctx, operator, id);

async function open(
  options: Parameters<typeof openCore>[1] = {},
): Promise<{ worker: string; applier: string }> {
  core = await openCore(database.url, options);
  return { worker: await core.join(), applier: await core.join('apply') };
}

/** Empty subwindows need no applier: what is claimed next are the proofs. */
async function proving(): Promise<{ worker: string; id: string; proofs: Lease[] }> {
  const { worker } = await open({ sourceIds: ['east'] });
  const { id } = await core.start();
  await core.pass();
  for (const lease of await claimOf(worker, id, 'replay')) await prove(lease, null);
  return { worker, id, proofs: await claimOf(worker, id, 'verify') };
}
/** The database is shared: earlier cases may have left proofs that can be claimed too. */
async function claimOf(worker: string, id: string, kind: Lease['kind']): Promise<Lease[]> {
  const { leases } = await claimLeases(core.ctx, worker, { max: 16 });
  return leases.filter((lease) => lease.backfillId === id && lease.kind === kind);
}
const prove = (lease: Lease | undefined, verification: CompleteLease['verification']) =>
  completeLease(core.ctx, lease?.id ?? '', {
    ...{ read: 0, published: 0, quarantined: 0, markers: [], verification },
    fencingToken: lease?.fencingToken ?? 0,
  });

describe('a proof that has to begin anew', () => {
  const checked = { bucketsChecked: 3, bucketsMatched: 3, eventsChecked: 300 };
  const nothing = { bucketsChecked: 0, bucketsMatched: 0, eventsChecked: 0 };
  const failure = { code: 'source_unavailable', detail: 'no connection', address: null };

  test.each<[string, (worker: string, lease: Lease) => Promise<unknown>]>([
    [
      'after a failure',
      (_worker, { id, fencingToken }) => failLease(core.ctx, id, { fencingToken, failure, retriable: true }),
    ],
    ['given back', (worker, lease) => core.tick(worker, [{ lease, ...checked, stopped: true }])],
    [
      'of a worker that was lost',
      (worker) => unitOfWork(core.ctx.database, (work) => endLeasesOf(core.ctx, work, [worker])),
    ],
  ])('%s has checked nothing until it has, and in the end no bucket twice', async (_what, end) => {
    const { worker, id, proofs } = await proving();
    const lease = proofs[0] as Lease;
    await core.tick(worker, [{ lease, ...checked }]);
    expect((await read(id)).verification).toMatchObject(checked);
    await end(worker, lease);
    expect(await read(id)).toMatchObject({ state: 'verifying', verification: nothing });
    await core.ctx.database.execute(sql`update runs set retry_at = null where backfill_id = ${id}`);
    const [again] = await claimOf(worker, id, 'verify');
    await core.tick(worker, [{ lease: again as Lease, ...checked, bucketsChecked: 1, bucketsMatched: 1 }]);
    expect((await read(id)).verification).toMatchObject({ bucketsChecked: 1, bucketsMatched: 1 });
    await prove(again, { ...matched, mismatches: [] });
    expect(await read(id)).toMatchObject({
      state: 'completed',
      verification: { bucketsChecked: 4, bucketsMatched: 4, eventsChecked: 400 },
    });
    await core.close();
  });
});

describe('the brake on a proof', () => {
  const braked = { reason: 'store is down' };
  const brake = () => core.run((work) => pauseReplay(core.ctx, work, operator, core.pipelineId, braked));
  const release = () => core.run((work) => resumeReplay(core.ctx, work, operator, core.pipelineId));

  test('is effective, and leaves no hold, when the proof ends instead of stopping', async () => {
    const { id, proofs } = await proving();
    const receipt = await brake();
    await prove(proofs[0], { ...matched, mismatches: [] });
    expect(await read(id)).toMatchObject({ state: 'completed', holds: [] });
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    await core.close();
  });

  test('does not keep a backfill that failed meanwhile from being tried again', async () => {
    const { id, proofs } = await proving();
    const receipt = await brake();
    await prove(proofs[0], { ...matched, state: 'mismatched', mismatches: [] });
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).not.toBeNull();
    await release();
    await core.run((work) => retryBackfill(core.ctx, work, operator, id));
    await core.pass();
    expect(await read(id)).toMatchObject({ state: 'running', holds: [] });
    await core.close();
  });

  test('a release overtakes a brake that was not effective yet', async () => {
    const { worker, proofs } = await proving();
    const receipt = await brake();
    await release();
    await core.tick(
      worker,
      proofs.map((lease) => ({ lease, stopped: true })),
    );
    expect((await readReceipt(core.ctx, receipt.id)).effectiveAt).toBeNull();
    await core.close();
  });

  test('one that was released before it took hold is not effective with the next; one that was asked twice is, both times', async () => {
    const { worker, proofs } = await proving();
    const released = await brake();
    await release();
    const first = await brake();
    const again = await brake();
    await core.tick(
      worker,
      proofs.map((lease) => ({ lease, stopped: true })),
    );
    expect(await readReceipt(core.ctx, released.id)).toMatchObject({
      acknowledgedAt: null,
      effectiveAt: null,
    });
    for (const { id } of [first, again]) expect((await readReceipt(core.ctx, id)).effectiveAt).not.toBeNull();
    await core.close();
  });

  test('a proof that was cancelled, or could not be made, does not look as if it went on', async () => {
    const first = await proving();
    await core.run((work) => cancelBackfill(core.ctx, work, operator, first.id, { reason: 'wrong month' }));
    await core.tick(
      first.worker,
      first.proofs.map((lease) => ({ lease, stopped: true })),
    );
    expect(await read(first.id)).toMatchObject({
      state: 'cancelled',
      verification: { state: 'unavailable', detail: 'cancelled before the proof had ended' },
    });
    await core.close();

    const second = await proving();
    await failLease(core.ctx, second.proofs[0]?.id ?? '', {
      fencingToken: second.proofs[0]?.fencingToken ?? 0,
      failure: { code: 'source_corrupt', detail: 'garbled row group', address: 'row 17' },
      retriable: false,
    });
    expect(await read(second.id)).toMatchObject({
      state: 'failed',
      verification: { state: 'unavailable', detail: expect.stringMatching(/: garbled row group$/) },
    });
    await core.close();
  });
});
