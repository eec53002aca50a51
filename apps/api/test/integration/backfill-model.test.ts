/**
 * Random interleavings of operators, workers, deaths and the governor, on a real control database. After every step:
 *
 * - only edges of the transition table have been walked (a trigger writes every change of state down);
 * - a verb is accepted exactly where the table says so;
 * - nothing is leased in a state that may hold no lease, and no slot is held by what has ended;
 * - subwindows: none handed out twice, none skipped, those done never more than those that are;
 * - the backfill's counters equal the sums over its runs;
 * - a stale worker moves nothing.
 */

import type { Lease } from '@spillway/shared/api/worker-protocol';
import {
  activeStates,
  type BackfillState,
  type BackfillVerb,
  canTransition,
  isPossible,
} from '@spillway/shared/backfill/state-machine';
import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pauseReplay, resumeReplay } from '../../src/control-plane/backfill/brake.ts';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import { pauseBackfill } from '../../src/control-plane/backfill/pause.ts';
import { readBackfill } from '../../src/control-plane/backfill/queries.ts';
import { resumeBackfill } from '../../src/control-plane/backfill/resume.ts';
import { retryBackfill } from '../../src/control-plane/backfill/retry.ts';
import { throttleBackfill } from '../../src/control-plane/backfill/throttle.ts';
import { claimLeases } from '../../src/control-plane/workers/claim.ts';
import { completeLease, failLease } from '../../src/control-plane/workers/complete.ts';
import {
  appliedUpTo,
  type Core,
  iso,
  matched,
  midnight,
  openCore,
  operator,
} from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { FORGET_BACKFILLS } from '../fixtures/forget-backfills.ts';

let database: ControlDatabase;
let core: Core;

beforeAll(async () => {
  database = await startControlDatabase();
  core = await openCore(database.url, {
    sourceIds: ['a', 'b', 'c'],
    maxSourcesReplaying: 2,
    eventsPerHour: 1_000,
  });
  await core.ctx.database.execute(
    sql.raw(`
    create table walked (edge bigserial, backfill_id text, from_state text, to_state text);
    create function write_down() returns trigger language plpgsql as $$ begin
      if old.state <> new.state then insert into walked (backfill_id, from_state, to_state) values (new.id, old.state, new.state); end if;
      return new;
    end $$;
    create trigger write_down after update on backfills for each row execute function write_down()`),
  );
});
afterAll(async () => {
  await core.close();
  await database.end();
});

/** What a test knows beside the database: who believes to hold what, and how far the stream and the applier are. */
interface Played {
  readonly workers: string[];
  readonly applier: string;
  readonly backfills: string[];
  /** Leases as each worker believes to hold them, also those that are over. */
  held: { readonly worker: string; readonly lease: Lease; published: number }[];
  over: { readonly worker: string; readonly lease: Lease }[];
  marker: number;
}

type Step = (played: Played) => Promise<void>;
const offset = (marker: number) => `${marker}`.padStart(6, '0');
const pick = <T>(all: readonly T[], index: number): T | undefined => all[index % Math.max(1, all.length)];

/** A verb succeeds exactly where the table allows it (resuming: where there is a hold that it lifts), and is refused with the state otherwise. */
function verb(name: BackfillVerb, which: number, act: (id: string) => Promise<unknown>): Step {
  return async (played) => {
    const id = pick(played.backfills, which);
    if (id === undefined) return;
    const held = await readBackfill(core.ctx, operator, id);
    const before = held.state;
    const outcome = await act(id).then(
      () => 'accepted',
      (error: { code?: string; extra?: { state?: string } }) => {
        if (error.code !== 'illegal_transition') throw error;
        expect(error.extra?.state).toBe(before);
        return 'refused';
      },
    );
    expect(`${name} in ${before}: ${outcome}`).toBe(
      `${name} in ${before}: ${isPossible(name, held) ? 'accepted' : 'refused'}`,
    );
  };
}

function forget(played: Played, leaseId: string): void {
  played.over.push(...played.held.filter(({ lease }) => lease.id === leaseId));
  played.held = played.held.filter(({ lease }) => lease.id !== leaseId);
}

/** An answer that the lease is over is allowed whenever something has ended it; the invariants see what it changed. */
async function unlessStale(run: () => Promise<void>): Promise<boolean> {
  return run().then(
    () => true,
    (error: { code?: string }) => {
      if (error.code !== 'stale_fencing_token') throw error;
      return false;
    },
  );
}

async function throttle(id: string, eventsPerSecond: number): Promise<void> {
  const { revision } = await readBackfill(core.ctx, operator, id);
  await core.run((work) => throttleBackfill(core.ctx, work, operator, id, { eventsPerSecond }, revision));
}

interface Named {
  readonly name: string;
  readonly step: Step;
}

const well: Named = { name: 'work well', step: workWell };
const start = (hours: number, priority: number): Named => ({
  name: `start ${hours} h`,
  step: async (played) => {
    if (played.backfills.length >= 3) return;
    const window = { from: iso(midnight), to: iso(midnight + hours * 3_600_000) };
    played.backfills.push((await core.start({ window, priority, limits: { concurrency: 3 } })).id);
  },
});
const cancel = (which: number): Step =>
  verb('cancel', which, (id) =>
    core.run((work) => cancelBackfill(core.ctx, work, operator, id, { reason: 'x' })),
  );

/** Chance cancels seldom: this it always plays. */
const cancelled: Named[] = [
  start(6, 0),
  { name: 'cancel', step: cancel(0) },
  start(6, 0),
  well,
  { name: 'cancel', step: cancel(1) },
  well,
  well,
];

const steps: fc.Arbitrary<Named> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(well) },
  {
    weight: 2,
    arbitrary: fc
      .record({ hours: fc.integer({ min: 1, max: 6 }), priority: fc.integer({ min: 0, max: 1 }) })
      .map(({ hours, priority }) => start(hours, priority)),
  },
  {
    weight: 4,
    arbitrary: fc.nat().chain((which) =>
      fc.oneof(
        ...(
          [
            [
              3,
              'pause',
              verb('pause', which, (id) => core.run((work) => pauseBackfill(core.ctx, work, operator, id))),
            ],
            [
              6,
              'resume',
              verb('resume', which, (id) => core.run((work) => resumeBackfill(core.ctx, work, operator, id))),
            ],
            [
              4,
              'retry',
              verb('retry', which, (id) => core.run((work) => retryBackfill(core.ctx, work, operator, id))),
            ],
            [1, 'cancel', cancel(which)],
            [2, 'throttle', verb('throttle', which, (id) => throttle(id, 500 + (which % 5) * 1_000))],
            [
              1,
              'brake',
              async () =>
                void (await core.run((work) => pauseReplay(core.ctx, work, operator, core.pipelineId))),
            ],
            [
              5,
              'release',
              async () =>
                void (await core.run((work) => resumeReplay(core.ctx, work, operator, core.pipelineId))),
            ],
          ] satisfies [number, string, Step][]
        ).map(([weight, name, step]) => ({ weight, arbitrary: fc.constant({ name, step }) })),
      ),
    ),
  },
  { weight: 8, arbitrary: fc.constant({ name: 'pass', step: async () => core.pass() }) },
  {
    weight: 8,
    arbitrary: fc.nat(1).map((which) => ({
      name: `claim ${which}`,
      step: async (played: Played) => {
        const worker = pick(played.workers, which) as string;
        const { leases } = await claimLeases(core.ctx, worker, { max: 2 });
        for (const lease of leases) {
          // The same run granted again makes whatever this or another worker believes of it stale.
          forget(played, lease.id);
          played.held.push({ worker, lease, published: lease.published });
        }
      },
    })),
  },
  {
    weight: 6,
    arbitrary: fc
      .record({ which: fc.nat(1), more: fc.nat(50), stopped: fc.boolean() })
      .map(({ which, more, stopped }) => ({
        name: `tick ${which}${stopped ? ' stopped' : ''}`,
        step: async (played: Played) => {
          const worker = pick(played.workers, which) as string;
          const own = played.held.filter((held) => held.worker === worker);
          const answer = await core.tick(
            worker,
            own.map((held) => {
              held.published += held.lease.kind === 'verify' ? 0 : more;
              return {
                lease: held.lease,
                published: held.published,
                read: held.published,
                cursor: `${held.published}`,
                stopped,
              };
            }),
          );
          for (const { leaseId, verdict } of answer.leases)
            if (stopped || verdict === 'stale_fencing_token') forget(played, leaseId);
        },
      })),
  },
  {
    weight: 10,
    arbitrary: fc
      .record({
        which: fc.nat(),
        verdict: fc.constantFrom('matched', 'matched', 'mismatched', 'unavailable' as const),
      })
      .map(({ which, verdict }) => ({
        name: `complete ${verdict}`,
        step: async (played: Played) => {
          const held = pick(played.held, which);
          if (held === undefined) return;
          const { lease } = held;
          const numbers = {
            fencingToken: lease.fencingToken,
            read: held.published,
            published: held.published,
            quarantined: 0,
          };
          const buckets = {
            bucketsChecked: matched.bucketsChecked,
            bucketsMatched: verdict === 'matched' ? matched.bucketsMatched : 0,
            eventsChecked: 9,
            detail: null,
            mismatches: [],
          };
          const proof = lease.kind === 'verify' ? { state: verdict, ...buckets } : null;
          const markers = proof === null ? [{ partition: 0, offset: offset(++played.marker) }] : [];
          const done = await unlessStale(() =>
            completeLease(core.ctx, lease.id, { ...numbers, markers, verification: proof }),
          );
          if (done)
            await completeLease(core.ctx, lease.id, { ...numbers, markers, verification: proof }).catch(
              (error) => expect(error.code).toBe('stale_fencing_token'),
            );
          forget(played, lease.id);
        },
      })),
  },
  {
    weight: 2,
    arbitrary: fc
      .record({
        which: fc.nat(),
        retriable: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, fc.constant(false)),
      })
      .map(({ which, retriable }) => ({
        name: `fail ${retriable}`,
        step: async (played: Played) => {
          const held = pick(played.held, which);
          if (held === undefined) return;
          await unlessStale(() =>
            failLease(core.ctx, held.lease.id, {
              fencingToken: held.lease.fencingToken,
              retriable,
              failure: { code: 'source_corrupt', detail: 'x', address: null },
            }),
          );
          await core.ctx.database.execute(sql`update runs set retry_at = null`);
          forget(played, held.lease.id);
        },
      })),
  },
  {
    weight: 4,
    arbitrary: fc.constant({
      name: 'apply',
      step: async (played: Played) => {
        const counters = await countersOf(played);
        await core.tick(played.applier, [], appliedUpTo(core, offset(played.marker), counters));
      },
    }),
  },
  {
    weight: 2,
    arbitrary: fc.nat().map((which) => ({
      name: 'expire',
      step: async (played: Played) => {
        const held = pick(played.held, which);
        if (held === undefined) return;
        await core.ctx.database.execute(
          sql`update runs set lease_expires_at = now() - interval '1 second' where id = ${held.lease.id} and state = 'leased'`,
        );
      },
    })),
  },
  {
    weight: 4,
    arbitrary: fc.nat().map((which) => ({
      name: 'stale',
      step: async (played: Played) => {
        const stale = pick(played.over, which);
        if (stale === undefined) return;
        const before = await progressOf();
        const answer = await core.tick(stale.worker, [
          { lease: stale.lease, published: 1_000_000, read: 1_000_000, stopped: true },
        ]);
        expect(answer.leases.map((lease) => lease.verdict)).toEqual(['stale_fencing_token']);
        const numbers = {
          fencingToken: stale.lease.fencingToken,
          read: 1_000_000,
          published: 1_000_000,
          quarantined: 0,
          markers: [{ partition: 0, offset: '0' }],
          verification: null,
        };
        await unlessStale(() => completeLease(core.ctx, stale.lease.id, numbers));
        await expect(
          failLease(core.ctx, stale.lease.id, {
            fencingToken: stale.lease.fencingToken - 1,
            retriable: false,
            failure: { code: 'x', detail: 'x', address: null },
          }),
        ).rejects.toMatchObject({ code: 'stale_fencing_token' });
        expect(await progressOf()).toEqual(before);
      },
    })),
  },
);

/** A moment in which everything goes well: without it, few plans would ever come to a proof. */
async function workWell(played: Played): Promise<void> {
  await core.pass();
  const worker = played.workers[0] as string;
  const { leases } = await claimLeases(core.ctx, worker, { max: 8 });
  for (const lease of leases) {
    forget(played, lease.id);
    played.over.push({ worker, lease });
    const proof = lease.kind === 'verify' ? { ...matched, mismatches: [] } : null;
    const markers = proof === null ? [{ partition: 0, offset: offset(++played.marker) }] : [];
    const published = lease.published + (proof === null ? 7 : 0);
    await completeLease(core.ctx, lease.id, {
      fencingToken: lease.fencingToken,
      read: published,
      published,
      quarantined: 0,
      markers,
      verification: proof,
    });
  }
  await core.tick(played.applier, [], appliedUpTo(core, offset(played.marker)));
}

async function countersOf(played: Played) {
  const backfills = await Promise.all(played.backfills.map((id) => readBackfill(core.ctx, operator, id)));
  return backfills.map(({ id, progress }) => ({
    backfillId: id,
    applied: progress.eventsPublished,
    duplicate: 0,
    quarantined: 0,
  }));
}

async function progressOf(): Promise<unknown> {
  const { rows } = await core.ctx.database.execute(
    sql`select id, state, subwindows_done, events_read, events_published, events_applied, revision from backfills order by id`,
  );
  const runs = await core.ctx.database.execute(
    sql`select id, state, fencing_token, published, cursor from runs order by id`,
  );
  return { backfills: rows, runs: runs.rows };
}

interface Seen {
  readonly id: string;
  readonly state: BackfillState;
  readonly published: number;
  readonly done: number;
  readonly runs_published: number;
  readonly retried: boolean;
  readonly runs_done: number;
  readonly leased: number;
  readonly slots: number;
}

async function checkInvariants(): Promise<void> {
  const { rows: edges } = await core.ctx.database.execute<{
    from_state: BackfillState;
    to_state: BackfillState;
  }>(sql`select from_state, to_state from walked`);
  for (const edge of edges)
    expect(canTransition(edge.from_state, edge.to_state), `${edge.from_state} -> ${edge.to_state}`).toBe(
      true,
    );

  const { rows } = await core.ctx.database.execute<Seen & Record<string, unknown>>(sql`
    select b.id, b.state, b.events_published::float8 as published, b.subwindows_done::float8 as done,
      (select coalesce(sum(published), 0)::float8 from runs r where r.backfill_id = b.id and r.kind = 'replay') as runs_published,
      exists (select from audit a where a.target = b.id and a.action = 'backfill.retry') as retried,
      (select coalesce(sum(to_index - from_index), 0)::float8 from runs r where r.backfill_id = b.id and r.kind = 'replay' and r.state = 'done') as runs_done,
      (select count(*)::int from runs r where r.backfill_id = b.id and r.state = 'leased') as leased,
      (select count(*)::int from lanes l where l.backfill_id = b.id and l.slot_held) as slots
    from backfills b`);
  for (const backfill of rows) {
    // What differed and is read again has no runs any more that tell of what was published before.
    if (backfill.retried) expect(backfill.published).toBeGreaterThanOrEqual(backfill.runs_published);
    else expect(backfill.published).toBe(backfill.runs_published);
    expect(backfill.done).toBe(backfill.runs_done);
    if (!activeStates.includes(backfill.state))
      expect(`${backfill.state} ${backfill.leased}`).toBe(`${backfill.state} 0`);
    if (['completed', 'cancelled', 'failed'].includes(backfill.state)) expect(backfill.slots).toBe(0);
    if (backfill.state === 'pausing' || backfill.state === 'cancelling')
      expect(backfill.leased).toBeGreaterThan(0);
  }
  expect(rows.reduce((sum, backfill) => sum + backfill.slots, 0)).toBeLessThanOrEqual(2);

  // Runs of a lane tile [0, next_index): no overlap, no gap.
  const { rows: lanes } = await core.ctx.database.execute<{
    next_index: number;
    tiles: { from: number; to: number }[] | null;
  }>(sql`
    select l.next_index::float8 as next_index, (select json_agg(json_build_object('from', r.from_index, 'to', r.to_index) order by r.from_index)
      from runs r where r.backfill_id = l.backfill_id and r.source_id = l.source_id and r.kind = 'replay') as tiles
    from lanes l`);
  for (const lane of lanes) {
    let at = 0;
    for (const tile of lane.tiles ?? []) {
      expect(tile.from).toBe(at);
      at = tile.to;
    }
    expect(at).toBe(lane.next_index);
  }
}

test('the table, the leases and the sums hold under any interleaving', async () => {
  const walked = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 40, maxLength: 120, size: 'max' }), async (plan) => {
      await core.ctx.database.execute(`${FORGET_BACKFILLS}, walked, positions`);
      await core.ctx.database.execute(sql`update pipelines set replay_paused = false`);
      const played: Played = {
        workers: [await core.join(), await core.join()],
        applier: await core.join('apply'),
        backfills: [],
        held: [],
        over: [],
        marker: 0,
      };
      // The last case's appliers would keep this one on standby.
      core.forward(60_000);
      await core.tick(played.applier);
      for (const worker of played.workers) await core.tick(worker);
      await core.pass();
      for (const { step } of plan) {
        await step(played);
        await checkInvariants();
      }
      const { rows } = await core.ctx.database.execute<{ edge: string }>(
        sql`select from_state || ' -> ' || to_state as edge from walked`,
      );
      for (const { edge } of rows) walked.add(edge);
    }),
    { numRuns: Number(process.env['SPILLWAY_MODEL_RUNS'] ?? 40), examples: [[cancelled]] },
  );
  // It went to interesting places.
  console.info('edges walked:', [...walked].toSorted().join(', '));
  expect(walked.size).toBeGreaterThanOrEqual(10);
});
