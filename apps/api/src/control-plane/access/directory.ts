/**
 * Who may come in, held in memory.
 *
 * Model: the live tokens and sessions are few, so all of them are kept, by digest, and read again when the copy is older than a
 * second and someone asks. A request costs no query and seldom waits for one; a stranger's guess costs none either, so guesses
 * cannot keep the database busy.
 *
 * Revocation: what this process revokes is gone at once (`refresh`), what another process revokes when the copy has been read again.
 * A copy older than `trustedForMs` lets nobody in: requests wait for a new one, and while the database does not answer, everyone but
 * the two tokens of the settings is told 503, since nobody knows whether they have been revoked.
 */
import { and, gt, inArray, isNull } from 'drizzle-orm';
import type { Clock } from '../context.ts';
import type { Database } from '../database/database.ts';
import { sessions, tokens } from '../database/schema.ts';
import { ProblemError } from '../problem-error.ts';
import { within } from '../within.ts';
import type { Principal } from './principal.ts';
import { digestOf, sameDigest } from './secrets.ts';

const freshForMs = 1_000;
const trustedForMs = 3_000;
const readLimitMs = 1_500;
const usedWrittenEveryMs = 30_000;

export interface Directory {
  byToken(token: string): Promise<Principal | null>;
  bySession(secret: string): Promise<Principal | null>;
  /** Whether someone let in earlier still may be: asked by streams that stay open. */
  stillWelcome(principal: Principal): Promise<boolean>;
  /** Reads the database now: call it after a token or session was made or revoked. */
  refresh(): Promise<void>;
}

interface Entry {
  readonly digest: string;
  readonly principal: Principal;
}

export function createDirectory(options: {
  readonly database: Database;
  readonly clock: Clock;
  readonly adminToken: string;
  readonly workerToken: string | null;
}): Directory {
  const { database, clock } = options;
  const settled = [
    { digest: digestOf(options.adminToken), principal: fromSettings('admin-token', 'admin', 'admin') },
    ...(options.workerToken === null
      ? []
      : [
          {
            digest: digestOf(options.workerToken),
            principal: fromSettings('worker-token', 'worker', 'worker'),
          },
        ]),
  ];
  let entries = new Map<string, Entry>();
  let byKey = new Map<string, Entry>();
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | null = null;
  const used = new Set<string>();
  let usedWrittenAt = clock.monotonic();

  async function read(): Promise<void> {
    const startedAt = clock.monotonic();
    const now = new Date(clock.now());
    const tokenRows = await database
      .select()
      .from(tokens)
      .where(and(isNull(tokens.revokedAt), gt(tokens.expiresAt, now)));
    const sessionRows = await database
      .select()
      .from(sessions)
      .where(and(isNull(sessions.revokedAt), gt(sessions.expiresAt, now)));
    entries = new Map([
      ...tokenRows.map((row): [string, Entry] => [
        row.digest,
        {
          digest: row.digest,
          principal: {
            key: row.id,
            name: row.name,
            role: row.role,
            kind: 'token',
            csrfToken: null,
            expiresAt: row.expiresAt.getTime(),
          },
        },
      ]),
      ...sessionRows.map((row): [string, Entry] => [
        row.digest,
        {
          digest: row.digest,
          principal: {
            key: `session:${row.digest}`,
            name: row.actor,
            role: row.role,
            kind: 'session',
            csrfToken: row.csrfToken,
            expiresAt: row.expiresAt.getTime(),
          },
        },
      ]),
    ]);
    byKey = new Map([...entries.values()].map((entry) => [entry.principal.key, entry]));
    readAt = startedAt;
    await writeUsed();
  }

  async function writeUsed(): Promise<void> {
    if (used.size === 0 || clock.monotonic() - usedWrittenAt < usedWrittenEveryMs) return;
    const ids = [...used];
    used.clear();
    usedWrittenAt = clock.monotonic();
    await database
      .update(tokens)
      .set({ lastUsedAt: new Date(clock.now()) })
      .where(inArray(tokens.id, ids));
  }

  /** One reading serves everyone who asks meanwhile. */
  function readOnce(): Promise<void> {
    reading ??= read().finally(() => {
      reading = null;
    });
    return reading;
  }

  async function current(): Promise<void> {
    const ageMs = clock.monotonic() - readAt;
    if (ageMs < freshForMs) return;
    const done = readOnce();
    if (ageMs < trustedForMs) {
      done.catch(() => {});
      return;
    }
    try {
      await within(done, readLimitMs);
    } catch (cause) {
      throw new ProblemError(
        'unavailable',
        'The control database is not reachable: nobody can be recognised',
        { cause },
      );
    }
  }

  async function find(digest: string, kind: Principal['kind']): Promise<Principal | null> {
    await current();
    const entry = entries.get(digest);
    if (
      entry === undefined ||
      entry.principal.kind !== kind ||
      !sameDigest(entry.digest, digest) ||
      expired(entry.principal)
    )
      return null;
    if (kind === 'token') used.add(entry.principal.key);
    return entry.principal;
  }

  const expired = (principal: Principal) =>
    principal.expiresAt !== null && principal.expiresAt <= clock.now();

  return {
    async byToken(token) {
      const digest = digestOf(token);
      // Both are compared whatever the first one says.
      const [known] = settled.filter((entry) => sameDigest(entry.digest, digest));
      return known?.principal ?? find(digest, 'token');
    },
    bySession: (secret) => find(digestOf(secret), 'session'),
    async stillWelcome(principal) {
      if (settled.some((entry) => entry.principal.key === principal.key)) return true;
      try {
        await current();
      } catch {
        return false;
      }
      return byKey.has(principal.key) && !expired(principal);
    },
    async refresh() {
      // A reading under way may have begun before the change.
      await reading?.catch(() => {});
      await readOnce();
    },
  };
}

function fromSettings(key: string, name: string, role: 'admin' | 'worker'): Principal {
  return { key, name, role, kind: 'token', csrfToken: null, expiresAt: null };
}
