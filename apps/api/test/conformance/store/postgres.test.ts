import { openPostgresStore } from '../../../src/adapters/store-postgres/open.ts';
import { startPostgres } from '../../fixtures/postgres-server.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance('a PostgreSQL server', async () => {
  const server = await startPostgres();
  return {
    open: () => openPostgresStore({ url: server.url('postgres') }),
    sql: async (statement) => (await server.sql(statement)).rows as Record<string, unknown>[],
    commitsSideBySide: true,
    kill: () => server.crash(),
    start: () => server.startAgain(),
    remove: () => server.stop(),
  };
});
