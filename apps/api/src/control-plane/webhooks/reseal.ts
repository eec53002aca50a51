import { eq } from 'drizzle-orm';
import type { Seal } from '../access/seal.ts';
import type { Database } from '../database/database.ts';
import { webhooks } from '../database/schema.ts';

/**
 * Secrets kept under an earlier admin token are kept under the present one: before anything is sent, since a pager that gets no valid signature any
 * more is a pager that is silent. All of them, or none. How many there were.
 */
export function resealSecrets(database: Database, earlier: Seal, present: Seal): Promise<number> {
  return database.transaction(async (tx) => {
    const rows = await tx
      .select({ id: webhooks.id, sealedSecret: webhooks.sealedSecret })
      .from(webhooks)
      .orderBy(webhooks.id)
      .for('update');
    let resealed = 0;
    for (const { id, sealedSecret } of rows) {
      const secret = present.open(sealedSecret) === undefined ? earlier.open(sealedSecret) : undefined;
      if (secret === undefined) continue;
      await tx
        .update(webhooks)
        .set({ sealedSecret: present.close(secret) })
        .where(eq(webhooks.id, id));
      resealed += 1;
    }
    return resealed;
  });
}
