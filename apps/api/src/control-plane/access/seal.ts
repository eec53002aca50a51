import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** How a value that holds a secret is kept in the database. */
export interface Seal {
  close(value: unknown): unknown;
  /** Undefined: it can no longer be opened. */
  open(stored: unknown): unknown;
}

/** For answers that hold a secret (a new token) and are kept for their Idempotency-Key. */
export function answersSeal(adminToken: string): Seal {
  return createSeal(adminToken, 'spillway idempotent answers');
}

/** For what webhooks are signed with. */
export function webhooksSeal(adminToken: string): Seal {
  return createSeal(adminToken, 'spillway webhook secrets');
}

/**
 * The table keeps them encrypted (AES-256-GCM) under a key made from the admin token, so that a copy of the database gives no secret
 * away. After the admin token has been replaced they cannot be opened any more: what must last is sealed anew (webhooks/reseal.ts).
 */
function createSeal(adminToken: string, purpose: string): Seal {
  const key = Buffer.from(hkdfSync('sha256', adminToken, '', purpose, 32));
  return {
    close(value) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
      return { sealed: Buffer.concat([iv, cipher.getAuthTag(), text]).toString('base64') };
    },
    open(stored) {
      try {
        const bytes = Buffer.from((stored as { sealed: string }).sealed, 'base64');
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12)).setAuthTag(
          bytes.subarray(12, 28),
        );
        return JSON.parse(
          Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString('utf8'),
        );
      } catch {
        return undefined;
      }
    },
  };
}
