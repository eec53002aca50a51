/** What the store is told by: the one row of a table that a migration makes. */
import { StoreError } from '../../data-plane/ports.ts';
import type { Statements } from './connections.ts';

export async function storeIdentity(questions: Statements, migrate: () => Promise<void>): Promise<string> {
  // Only where it is missing: to ask who it is takes no right to change it.
  if (!(await isMade(questions))) await migrate();
  const [row] = await questions.run('select id from spillway.identity');
  if (row?.['id'] == null) throw new StoreError('store_failed', 'the store has lost its identity');
  return row['id'];
}

async function isMade(questions: Statements): Promise<boolean> {
  const [row] = await questions.run(`select to_regclass('spillway.identity') is not null as made`);
  return row?.['made'] === 't';
}
