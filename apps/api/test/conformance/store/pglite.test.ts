import { openPostgresStore } from '../../../src/adapters/store-postgres/open.ts';
import { EmbeddedStoreDatabase } from '../../fixtures/embedded-store-database.ts';
import { storeConformance } from './store-conformance.ts';

storeConformance('PGlite, behind its socket', async () => {
  const database = await EmbeddedStoreDatabase.start();
  return {
    open: () => openPostgresStore({ url: database.url }),
    sql: (statement) => database.sql(statement),
    commitsSideBySide: false,
    kill: () => database.kill(),
    start: () => database.start(),
    remove: () => database.remove(),
  };
});
