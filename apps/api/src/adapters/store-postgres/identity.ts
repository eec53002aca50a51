/** What the store is told by: the one row of a table that a migration makes. Asking makes nothing: who asks may not belong there. */
import { type Identity, noIdentity } from '@spillway/shared/api/worker-protocol';
import { StoreError } from '../../data-plane/ports.ts';
import { shownDatabase } from '../../postgres-target.ts';
import type { Statements } from './connections.ts';

export async function storeIdentity(questions: Statements, url: string): Promise<Identity> {
  const name = shownDatabase(url);
  if (!(await isMade(questions))) return { id: noIdentity, name };
  const [row] = await questions.run('select id from spillway.identity');
  if (row?.['id'] == null) throw new StoreError('store_failed', 'the store has lost its identity');
  return { id: row['id'], name };
}

async function isMade(questions: Statements): Promise<boolean> {
  const [row] = await questions.run(`select to_regclass('spillway.identity') is not null as made`);
  return row?.['made'] === 't';
}
