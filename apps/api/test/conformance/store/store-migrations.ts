import { describe, expect, it } from 'vitest';
import { LIVE, type StoreScene } from './store-scene.ts';

export function migrationsOf(fresh: () => StoreScene): void {
  describe('migrations', () => {
    it('run once, however many start at the same time (18)', async () => {
      const { harness, store } = fresh();
      const applied = await harness.sql(
        'select number, count(*)::int as times from spillway.migrations group by 1',
      );
      expect(applied.length).toBeGreaterThan(0);
      expect(applied.every((row) => row['times'] === 1)).toBe(true);
      await store.migrate();
    }, 60_000);

    it('refuse a schema that is newer than the code (18)', async () => {
      const { harness, store } = fresh();
      await harness.sql(
        `insert into spillway.migrations (number, name, sha256) values (9999, '9999_later.sql', 'x')`,
      );
      await expect(store.migrate()).rejects.toMatchObject({ name: 'StoreError', code: 'schema_newer' });
      await harness.sql('delete from spillway.migrations where number = 9999');
      await store.migrate();
    });

    it('refuse a file that was changed after it ran', async () => {
      const { harness, store } = fresh();
      await harness.sql(`update spillway.migrations set sha256 = 'other' || sha256`);
      await expect(store.migrate()).rejects.toMatchObject({ code: 'store_failed' });
      await harness.sql(`update spillway.migrations set sha256 = substr(sha256, 6)`);
      await store.migrate();
    });

    it('make the partitions of a range once, however many ask', async () => {
      const { harness } = fresh();
      const range = { from: Date.UTC(1999, 10, 15), to: Date.UTC(2000, 1, 1) };
      const askers = await Promise.all(Array.from({ length: 5 }, () => harness.open()));
      await Promise.all(
        askers.flatMap((asker) => [asker.ensurePartitions(range), asker.ensurePartitions(range)]),
      );
      await Promise.all(askers.map((asker) => asker.close()));
      const made = await harness.sql(
        `select relname from pg_class where relname ~ '^events_(1999|2000)_..$' and relkind = 'r' order by 1`,
      );
      expect(made.map((row) => row['relname'])).toEqual([
        'events_1999_11',
        'events_1999_12',
        'events_2000_01',
      ]);
    });

    it('make a month anew whose partition somebody has detached, and let its table be', async () => {
      const { harness, source, event, writer } = fresh();
      const at = Date.UTC(1998, 4, 7);
      await (await writer()).apply(LIVE, [event(1, { at })]);
      await harness.sql('alter table spillway.events detach partition spillway.events_1998_05');
      const another = await harness.open();
      const { apply } = await writer(another);
      expect(await apply(LIVE, [event(2, { at })])).toMatchObject({ inserted: 1 });
      await another.close();
      const idsIn = async (table: string) =>
        (await harness.sql(`select id from spillway.${table} where source_id = '${source}'`)).map(
          (row) => row['id'],
        );
      expect(await idsIn('events_1998_05')).toEqual([event(1).id]);
      expect(await idsIn('events')).toEqual([event(2).id]);
    });

    it('leave a month to the partitions that somebody has made for it', async () => {
      const { harness, event, writer } = fresh();
      const [from, middle, to] = [Date.UTC(1997, 4), Date.UTC(1997, 4, 16), Date.UTC(1997, 5)];
      await harness.sql(`create table spillway.first_half partition of spillway.events for values from (${from}) to (${middle});
        create table spillway.second_half partition of spillway.events for values from (${middle}) to (${to})`);
      const batch = [event(1, { at: from }), event(2, { at: to - 1 })];
      expect(await (await writer()).apply(LIVE, batch)).toMatchObject({ inserted: 2 });
      expect(await harness.sql(`select to_regclass('spillway.events_1997_05') as made`)).toEqual([
        { made: null },
      ]);
    });
  });
}
