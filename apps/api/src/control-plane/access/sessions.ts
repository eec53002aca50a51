import { and, eq, isNull, lt } from 'drizzle-orm';
import type { Clock } from '../context.ts';
import type { Database, UnitOfWork } from '../database/database.ts';
import { sessions } from '../database/schema.ts';
import { digestOf, newSessionSecret } from './secrets.ts';

const sessionValidMs = 12 * 60 * 60_000;

export interface NewSession {
  /** The cookie's value; only its digest is stored. */
  readonly secret: string;
  readonly csrfToken: string;
  readonly actor: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly expiresAt: Date;
}

/** Always a new secret: a cookie planted before the sign-in never becomes a session. */
export async function createSession(work: UnitOfWork, clock: Clock): Promise<NewSession> {
  const session = {
    secret: newSessionSecret(),
    csrfToken: newSessionSecret(),
    actor: 'admin',
    role: 'admin',
    expiresAt: new Date(clock.now() + sessionValidMs),
  } as const;
  const { secret, ...stored } = session;
  await work.tx
    .insert(sessions)
    .values({ ...stored, digest: digestOf(secret), createdAt: new Date(clock.now()) });
  return session;
}

export async function revokeSession(work: UnitOfWork, clock: Clock, digest: string): Promise<boolean> {
  const revoked = await work.tx
    .update(sessions)
    .set({ revokedAt: new Date(clock.now()) })
    .where(and(eq(sessions.digest, digest), isNull(sessions.revokedAt)))
    .returning({ digest: sessions.digest });
  return revoked.length === 1;
}

export async function removeOldSessions(database: Database, clock: Clock): Promise<void> {
  await database.delete(sessions).where(lt(sessions.expiresAt, new Date(clock.now() - sessionValidMs)));
}
