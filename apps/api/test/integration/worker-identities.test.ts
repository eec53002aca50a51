/** Who may join: a worker with the store and the streams that all others have, as far as anybody can tell. */
import { type Identities, type Identity, noIdentity } from '@spillway/shared/api/worker-protocol';
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pipelines, streamIdentity } from '../../src/control-plane/database/schema.ts';
import { governorMemory } from '../../src/control-plane/governor/memory.ts';
import { type KnownIdentities, refusalOf } from '../../src/control-plane/workers/identities.ts';
import { listWorkers } from '../../src/control-plane/workers/membership.ts';
import { type Core, openCore } from '../fixtures/control-core.ts';
import { type ControlDatabase, startControlDatabase } from '../fixtures/control-database.ts';

const identity = (id: string): Identity => ({ id, name: `that of ${id}` });
const [ours, theirs] = [identity('ours'), identity('theirs')];
const away = { code: 'store_unavailable' };
const denied = { code: 'stream_denied' };

describe('deciding', () => {
  const both = { store: ours, streams: ours };
  test.each<[string, Identities, KnownIdentities, string | null]>([
    ['the same', both, both, null],
    ['the same by another name', { store: { ...ours, name: 'alias' } }, both, null],
    ['nobody before', both, { store: ours, streams: null }, null],
    ['another store', { ...both, store: theirs }, both, 'store_mismatch'],
    ['other streams', { ...both, streams: theirs }, both, 'stream_mismatch'],
    [
      'another store, and streams that do not answer',
      { store: theirs, streams: denied },
      both,
      'store_mismatch',
    ],
    [
      'other streams, and a store that does not answer',
      { store: away, streams: theirs },
      both,
      'stream_mismatch',
    ],
    ['a store that does not answer', { ...both, store: away }, both, 'unavailable'],
    ['streams that do not answer', { ...both, streams: denied }, both, 'unavailable'],
    ['a store that does not answer the api', both, { store: away, streams: ours }, 'unavailable'],
    ['another store, without tables', { ...both, store: identity(noIdentity) }, both, 'store_mismatch'],
    [
      'the same store, a moment before it had tables',
      { ...both, store: { ...ours, id: noIdentity } },
      both,
      'unavailable',
    ],
    [
      'streams alone, while a store does not answer the api',
      { streams: ours },
      { store: away, streams: ours },
      null,
    ],
    ['streams whose identity does not last', { store: ours }, both, null],
  ])('%s', (_, told, known, code) => {
    expect(refusalOf(told, known)?.code ?? null).toBe(code);
  });

  test('what is not known is said with its cause', () => {
    const detailOf = (...[told, known]: Parameters<typeof refusalOf>) => refusalOf(told, known)?.detail;
    expect(detailOf({ streams: denied }, both)).toMatch(/^This worker .* its streams .*: stream_denied\.$/);
    expect(detailOf({ store: ours }, { ...both, store: away })).toMatch(
      /^The api .* store .*: store_unavailable\.$/,
    );
  });

  test('streams that are others at the same place are said to be so', () => {
    const emptied = { id: 'others', name: ours.name };
    expect(refusalOf({ streams: emptied }, both)?.detail).toMatch(
      /^SPILLWAY_STREAM_URL: at that of ours are other streams .* was emptied or made anew/,
    );
    expect(refusalOf({ streams: theirs }, both)?.detail).toMatch(/that of theirs, those .* that of ours$/);
  });
});

describe('joining', () => {
  let database: ControlDatabase;
  let core: Core;
  beforeAll(async () => {
    database = await startControlDatabase();
  });
  afterAll(() => database.end());
  beforeEach(async () => {
    core = await openCore(database.url);
    core.ctx.store.identity = async () => ours;
    return async () => {
      await core.forget();
      await core.ctx.database.delete(streamIdentity);
      await core.close();
    };
  });
  const join = (identities: Identities, role: 'apply' | 'replay' = 'replay') =>
    core.join(role, { identities });

  test('the streams of the first are those of the installation, also for an api that is started anew', async () => {
    await join({ store: ours, streams: ours });
    const other = join({ store: ours, streams: theirs });
    await expect(other).rejects.toMatchObject({
      code: 'stream_mismatch',
      message:
        "SPILLWAY_STREAM_URL: this worker's streams are that of theirs, those of the installation are others, that of ours",
    });
    const restarted = await openCore(database.url);
    restarted.ctx.store.identity = async () => ours;
    const again = restarted.join('replay', { identities: { store: ours, streams: theirs } });
    await expect(again).rejects.toMatchObject({ code: 'stream_mismatch' });
    await restarted.close();
    await join({ store: ours, streams: ours });
    expect((await listWorkers(core.ctx, {})).items).toHaveLength(2);
  });

  test('it is said whose the streams of the installation are', async () => {
    const said: unknown[] = [];
    core.ctx.log.info = (fields) => void said.push(fields);
    await join({ streams: ours });
    await join({ streams: ours });
    expect(said).toMatchObject([
      { streams: ours.name, worker: { role: 'replay', host: expect.any(String), pid: expect.any(Number) } },
    ]);
  });

  test('a store that the api has not migrated yet, or that does not answer it, is compared later', async () => {
    core.ctx.store.identity = async () => identity(noIdentity);
    const joins = () => join({ store: identity(noIdentity), streams: ours }, 'apply');
    await expect(joins()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching('not_migrated'),
    });
    core.ctx.store.identity = () => Promise.reject(Object.assign(new Error('no'), away));
    await expect(joins()).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringMatching('store_unavailable'),
    });
    // A restored one is another from then on, also while it owes its answer.
    core.ctx.store.identity = async () => theirs;
    await expect(join({ store: ours })).rejects.toMatchObject({ code: 'store_mismatch' });
    core.ctx.store.identity = () => Promise.reject(Object.assign(new Error('no'), away));
    await join({ store: theirs, streams: ours }, 'apply');
  });

  test('of two that are first with different streams one is refused', async () => {
    const joined = await Promise.allSettled([ours, theirs].map((streams) => join({ streams })));
    expect(joined.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('an applier with another store than the api takes nothing over', async () => {
    await expect(join({ store: theirs, streams: ours }, 'apply')).rejects.toMatchObject({
      code: 'store_mismatch',
      message:
        "SPILLWAY_STORE_URL: this worker's store is that of theirs, the api's is another one, that of ours",
    });
    expect(governorMemory(core.ctx).members.size).toBe(0);
    // Nor does it say which streams are the installation's.
    await join({ store: ours, streams: theirs }, 'apply');
  });

  test('who is told by hand to forget the streams takes those of the next', async () => {
    await join({ streams: ours });
    await core.ctx.database.execute(sql.raw('delete from stream_identity'));
    await join({ streams: theirs });
    await expect(join({ streams: ours })).rejects.toMatchObject({ code: 'stream_mismatch' });
  });

  test('where all pipelines are external nobody is asked for what they have no use for', async () => {
    await core.ctx.database.update(pipelines).set({ external: {} as never });
    await join({ store: away, streams: ours });
    await join({ store: theirs, streams: theirs });
  });
});
