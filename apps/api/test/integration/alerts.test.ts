/** Alerts on a real control database: raised and cleared once, told after the commit, listed in order, and forgotten in the end. */
import type { Alert, GovernorView } from '@spillway/shared/api/governor';
import { eq, isNull, sql } from 'drizzle-orm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listAlerts } from '../../src/control-plane/alerts/queries.ts';
import { type AlertInputs, reviewAlerts } from '../../src/control-plane/alerts/review.ts';
import { cancelBackfill } from '../../src/control-plane/backfill/cancel.ts';
import type { ControlContext } from '../../src/control-plane/context.ts';
import { maintain } from '../../src/control-plane/database/maintenance.ts';
import { alerts, backfills, sources, workers } from '../../src/control-plane/database/schema.ts';
import { leave } from '../../src/control-plane/workers/leaving.ts';
import { listWorkers } from '../../src/control-plane/workers/membership.ts';
import { adminToken, type ControlApp, seedPipeline, startControlApp } from '../fixtures/control-app.ts';
import { type Core, openCore, operator } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';
import { quietView } from '../fixtures/quiet-view.ts';
import { until } from '../fixtures/started-process.ts';

let database: ControlDatabase;
beforeAll(async () => {
  database = await startControlDatabase();
});
afterAll(() => database?.end());

describe('a review', () => {
  let core: Core;
  let ctx: ControlContext;
  const rates = new Map<string, number>();
  beforeEach(async () => {
    core = await openCore(database.url);
    await core.ctx.database.delete(workers);
    ctx = {
      ...core.ctx,
      telemetry: {
        ...core.ctx.telemetry,
        rates: (id) => ({ publishedEventsPerSecond: rates.get(id) ?? null, appliedEventsPerSecond: null }),
      },
    };
  });
  afterEach(async () => {
    await core.ctx.database.delete(alerts);
    await core.close();
  });

  const seen = (of: Partial<AlertInputs> = {}, ofView: Partial<GovernorView> = {}): AlertInputs[] => [
    {
      pipelineId: core.pipelineId,
      view: { ...quietView, ...ofView },
      storeSilentMs: 0,
      replayStreamFull: false,
      runningBackfills: [],
      ...of,
    },
  ];
  /** Once a second of virtual time. */
  async function review(times: number, inputs: readonly AlertInputs[]): Promise<void> {
    for (let i = 0; i < times; i++) {
      await reviewAlerts(ctx, inputs);
      core.forward(1_000);
    }
  }
  const told = () =>
    core.changes.flatMap((change) =>
      change.event === 'alert'
        ? [`${change.data.alert.clearedAt === null ? '+' : '-'}${change.data.alert.code}`]
        : [],
    );
  const raised = async () => (await listAlerts(ctx, { pipelineId: core.pipelineId, state: 'raised' })).items;

  test('a storm is told at once and named; it is told once, and once more when it is over', async () => {
    const { id } = await core.start();
    rates.set(id, 8_000);
    await review(3, seen({ runningBackfills: [id] }, { storm: true }));
    expect(await raised()).toMatchObject([
      {
        pipelineId: core.pipelineId,
        code: 'storm',
        severity: 'critical',
        detail: `Replay storm: live has been falling behind while ${id} publishes 8,000 events/s; replay is held to the floor until live has caught up.`,
        clearedAt: null,
      },
    ]);
    await review(6, seen());
    expect(told()).toEqual(['+storm', '-storm']);
    expect(await raised()).toEqual([]);
  });

  test('a pause that runs out warns, turns critical at once, and is over when it is resumed or trimmed', async () => {
    const pause = (severity: 'warning' | 'critical', minutes: number) =>
      seen({
        pauses: [
          {
            stream: 'replay',
            severity,
            detail: `Lost in ${minutes} min.`,
            past: `Was ${minutes} min from it.`,
          },
        ],
      });
    await review(4, pause('warning', 40));
    expect(await raised()).toMatchObject([
      { code: 'pause_runs_out', subject: 'replay', severity: 'warning', detail: 'Lost in 40 min.' },
    ]);
    await review(1, pause('critical', 14));
    expect(await raised()).toMatchObject([{ severity: 'critical', detail: 'Lost in 14 min.' }]);
    await review(7, seen());
    expect(await raised()).toEqual([]);
    expect(told()).toEqual(['+pause_runs_out', '+pause_runs_out', '-pause_runs_out']);
    const { items } = await listAlerts(ctx, { pipelineId: core.pipelineId, state: 'cleared', limit: 1 });
    expect(items, 'what is over is told in the past').toMatchObject([{ detail: 'Was 14 min from it.' }]);
  });

  test('what is told is what is stored', async () => {
    await review(1, seen({ storeSilentMs: 5_000 }));
    const [alert] = await raised();
    const published = core.changes.flatMap((change) => (change.event === 'alert' ? [change.data.alert] : []));
    expect(published).toEqual([alert]);
  });

  test('nothing is told when nothing was committed', async () => {
    const { database: real } = core.ctx;
    ctx = {
      ...ctx,
      database: Object.create(real, {
        transaction: {
          value: async () => {
            throw new Error('gone');
          },
        },
      }),
    };
    await expect(reviewAlerts(ctx, seen({ storeSilentMs: 5_000 }))).rejects.toThrow('gone');
    expect(told()).toEqual([]);
  });

  test('two at once raise one alert', async () => {
    await Promise.all([1, 2, 3].map(() => reviewAlerts(ctx, seen({ storeSilentMs: 5_000 }))));
    expect(told()).toEqual(['+store_stalled']);
    expect(await raised()).toHaveLength(1);
  });

  test('a clock set back clears nothing in the future and breaks nothing', async () => {
    await review(1, seen({ storeSilentMs: 5_000 }));
    await ctx.database.update(alerts).set({ raisedAt: sql`now() + interval '1 hour'` });
    await review(6, seen());
    expect(told()).toEqual(['+store_stalled', '-store_stalled']);
  });

  test('a pipeline that is not looked at keeps its alerts', async () => {
    await review(1, seen({ storeSilentMs: 5_000 }));
    await review(10, []);
    expect(told()).toEqual(['+store_stalled']);
  });

  test('a worker that falls silent is lost after ten seconds, found when another joins, and nobody is lost at the start', async () => {
    const lost = await core.join('replay');
    await ctx.database.update(workers).set({ lastTickAt: sql`now() - interval '1 minute'` });
    // This process has listened for less than ten seconds: it cannot know.
    await review(10, seen());
    expect(told()).toEqual([]);
    await review(3, seen());
    expect(told()).toEqual(['+worker_lost']);
    expect(await raised()).toMatchObject([{ subject: lost, severity: 'critical' }]);
    await core.join('replay');
    await review(6, seen());
    expect(told()).toEqual(['+worker_lost', '-worker_lost']);
  });

  test('a worker that leaves is not lost, but one that was lost before it is, until another joins', async () => {
    const [lost, last] = [await core.join('replay'), await core.join('replay')];
    const aMinutePasses = () =>
      ctx.database.update(workers).set({
        joinedAt: sql`${workers.joinedAt} - interval '1 minute'`,
        lastTickAt: sql`${workers.lastTickAt} - interval '1 minute'`,
      });
    await ctx.database.update(workers).set({ lastTickAt: sql`now()` });
    await aMinutePasses();
    await leave(ctx, last);
    // It may be restarted.
    await review(13, seen());
    expect(told()).toEqual([]);
    await aMinutePasses();
    await review(3, seen());
    expect(await raised()).toMatchObject([{ subject: lost, detail: expect.stringContaining(last) }]);
    expect((await listWorkers(ctx, {})).items).toMatchObject([{ id: lost, state: 'lost' }]);

    const other = await core.join('replay');
    await review(6, seen());
    expect(told()).toEqual(['+worker_lost', '-worker_lost']);
    await leave(ctx, other);
    await aMinutePasses();
    await review(13, seen());
    expect(told()).toEqual(['+worker_lost', '-worker_lost']);
  });

  test('a source that failed, until it is connected', async () => {
    const failure = { code: 'gone', detail: 'cannot read s3://ada:canary1secret@bucket', address: null };
    const [sourceId] = (
      await ctx.database
        .select({ id: sources.id })
        .from(sources)
        .where(eq(sources.pipelineId, core.pipelineId))
    ).map(({ id }) => id);
    await ctx.database
      .update(sources)
      .set({ state: 'failed', failure })
      .where(eq(sources.id, sourceId ?? ''));
    await review(3, seen());
    const [alert] = await raised();
    expect(alert).toMatchObject({ code: 'source_failed', subject: sourceId, severity: 'warning' });
    expect(alert?.detail).toContain('cannot read s3://ada:[redacted]@bucket');
    await ctx.database
      .update(sources)
      .set({ state: 'connected', failure: null })
      .where(eq(sources.id, sourceId ?? ''));
    await review(6, seen());
    expect(told()).toEqual(['+source_failed', '-source_failed']);
  });

  test('a backfill that failed, until it is cancelled, and not for ever', async () => {
    const failure = { code: 'x', detail: 'no such file', address: null };
    const fail = async () => {
      const { id } = await core.start();
      await ctx.database
        .update(backfills)
        .set({ state: 'failed', failure, endedAt: sql`now()` })
        .where(eq(backfills.id, id));
      return id;
    };
    const [first, second] = [await fail(), await fail()];
    await review(3, seen());
    expect((await raised()).map(({ backfillId }) => backfillId).toSorted()).toEqual(
      [first, second].toSorted(),
    );
    await core.run((work) => cancelBackfill(ctx, work, operator, first, { reason: 'not needed' }));
    await review(6, seen());
    expect((await raised()).map(({ backfillId }) => backfillId)).toEqual([second]);
    await ctx.database
      .update(backfills)
      .set({ endedAt: sql`now() - interval '25 hours'` })
      .where(eq(backfills.id, second));
    await review(6, seen());
    expect(await raised()).toEqual([]);
  });

  test('cleared ones are kept for thirty days, raised ones for as long as they last', async () => {
    const at = (days: number) => sql`now() - ${`${days} days`}::interval`;
    const alert = {
      pipelineId: core.pipelineId,
      code: 'stream_full',
      severity: 'warning',
      detail: '',
    } as const;
    await ctx.database.insert(alerts).values([
      { ...alert, id: 'old', raisedAt: at(40), clearedAt: at(31) },
      { ...alert, id: 'kept', raisedAt: at(40), clearedAt: at(29) },
      { ...alert, id: 'lasting', raisedAt: at(40) },
    ]);
    await maintain(ctx.database);
    const left = await ctx.database.select({ id: alerts.id }).from(alerts);
    expect(left.map(({ id }) => id).toSorted()).toEqual(['kept', 'lasting']);
  });

  test('while it stands, its sentence follows what is measured, and everybody is told', async () => {
    for (let silentMs = 1_000; silentMs <= 12_000; silentMs += 1_000)
      await review(1, seen({ storeSilentMs: silentMs }));
    const said = core.changes.flatMap((change) => (change.event === 'alert' ? [change.data.alert] : []));
    expect(said.map(({ detail }) => /\d+\.?\d* s/.exec(detail)?.[0])).toEqual(['1.0 s', '6.0 s', '11 s']);
    expect(new Set(said.map(({ id }) => id)).size).toBe(1);
    expect(await raised()).toEqual([said.at(-1)]);
  });

  test('a second of nothing new costs no write', async () => {
    await review(3, seen({ storeSilentMs: 5_000 }));
    const [before] = (await ctx.database.execute(sql`select xmin::text from alerts`)).rows;
    await review(3, seen({ storeSilentMs: 5_000 }));
    const [after] = (await ctx.database.execute(sql`select xmin::text from alerts`)).rows;
    expect(after?.['xmin']).toBe(before?.['xmin']);
    expect(told()).toEqual(['+store_stalled']);
  });
});

describe('over HTTP', () => {
  let control: ControlApp;
  beforeAll(async () => {
    control = await startControlApp(database.url);
    await seedPipeline(control.ctx);
    const alert = { pipelineId: 'flights', code: 'signal_unknown', severity: 'warning', detail: '' } as const;
    for (let i = 0; i < 7; i++)
      await control.ctx.database.insert(alerts).values({
        ...alert,
        id: `al_${i}`,
        subject: `s${i}`,
        ...(i % 2 === 0 ? { clearedAt: sql`now()` } : {}),
      });
  });
  afterAll(() => control?.close());
  const list = async (query = '') => {
    const answer = await control.ask(adminToken, 'GET', `/v1/alerts${query}`);
    expect(answer.statusCode, answer.body).toBe(200);
    return answer.json() as { items: Alert[]; nextCursor: string | null };
  };
  const ids = ({ items }: { items: Alert[] }) => items.map(({ id }) => id);

  test('raised ones first, the newest first, in pages', async () => {
    const expected = ['al_5', 'al_3', 'al_1', 'al_6', 'al_4', 'al_2', 'al_0'];
    expect(ids(await list())).toEqual(expected);
    const paged: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: Awaited<ReturnType<typeof list>> = await list(
        `?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      expect(page.items.length).toBeLessThanOrEqual(2);
      paged.push(...ids(page));
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(expected);
  });

  test.each([
    ['?state=raised', ['al_5', 'al_3', 'al_1']],
    ['?state=cleared', ['al_6', 'al_4', 'al_2', 'al_0']],
    ['?pipelineId=another', []],
    ['?pipelineId=flights&state=raised&limit=1', ['al_5']],
  ])('%s', async (query, expected) => {
    expect(ids(await list(query))).toEqual(expected);
  });

  test.each([
    ['?state=open', 'invalid_request'],
    ['?limit=0', 'invalid_request'],
    ['?cursor=nonsense', 'invalid_cursor'],
    ['?what=ever', 'invalid_request'],
  ])('%s is refused', async (query, code) => {
    const answer = await control.ask(adminToken, 'GET', `/v1/alerts${query}`);
    expect([answer.statusCode, answer.json().code]).toEqual([400, code]);
  });

  test('the event stream tells of it, and tells it again to a client that comes back', async () => {
    const url = await control.app.listen({ host: '127.0.0.1', port: 0 });
    const listen = async (lastEventId: string | null) => {
      const abort = new AbortController();
      const response = await fetch(`${url}/v1/events`, {
        headers: {
          authorization: `Bearer ${adminToken}`,
          ...(lastEventId === null ? {} : { 'last-event-id': lastEventId }),
        },
        signal: abort.signal,
      });
      let text = '';
      void (async () => {
        for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += chunk;
      })().catch(() => {});
      return { text: () => text, leave: () => abort.abort() };
    };
    const first = await listen(null);
    await until(() => first.text().includes('event: heartbeat'), 5_000, 'the stream is open');
    const inputs = {
      pipelineId: 'flights',
      view: quietView,
      storeSilentMs: 5_000,
      replayStreamFull: false,
      runningBackfills: [],
    };
    await reviewAlerts(control.ctx, [inputs]);
    await until(() => first.text().includes('event: alert'), 5_000, 'the alert');
    const [, id, data] = /id: (\S+)\nevent: alert\ndata: (.*)\n/.exec(first.text()) ?? [];
    expect(JSON.parse(data ?? '')).toEqual({
      alert: (await list('?state=raised&limit=1')).items[0],
    });
    const [start, number] = (id ?? '').split('-');
    const again = await listen(`${start}-${Number(number) - 1}`);
    await until(() => again.text().includes(`id: ${id}\nevent: alert`), 5_000, 'the alert again');
    for (const client of [first, again]) client.leave();
    await control.ctx.database.delete(alerts).where(isNull(alerts.clearedAt));
  });
});
