import { and, gt, isNull, lt, sql } from 'drizzle-orm';
import type { Clock } from '../context.ts';
import type { Database, UnitOfWork } from '../database/database.ts';
import { signInCodes } from '../database/schema.ts';
import { digestOf, newSignInCode } from './secrets.ts';

export const signInCodeValidMs = 10 * 60_000;

/** A fresh code, good once and for ten minutes. Only its digest is stored. */
export async function issueSignInCode(
  database: Pick<Database, 'insert'>,
  clock: Clock,
): Promise<{ code: string; expiresAt: Date }> {
  const code = newSignInCode();
  const expiresAt = new Date(clock.now() + signInCodeValidMs);
  await database.insert(signInCodes).values({ digest: digestOf(code), expiresAt });
  return { code, expiresAt };
}

/** Whether the code was good; afterwards it is not. One statement, so that of two who bring it at the same time one gets in. */
export async function spendSignInCode(work: UnitOfWork, clock: Clock, code: string): Promise<boolean> {
  const now = new Date(clock.now());
  const spent = await work.tx
    .update(signInCodes)
    .set({ usedAt: now })
    .where(
      and(
        sql`${signInCodes.digest} = ${digestOf(code)}`,
        isNull(signInCodes.usedAt),
        gt(signInCodes.expiresAt, now),
      ),
    )
    .returning({ digest: signInCodes.digest });
  return spent.length === 1;
}

export async function removeOldSignInCodes(database: Database, clock: Clock): Promise<void> {
  await database
    .delete(signInCodes)
    .where(lt(signInCodes.expiresAt, new Date(clock.now() - signInCodeValidMs)));
}
