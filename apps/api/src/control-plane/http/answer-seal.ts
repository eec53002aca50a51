import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

/** How an answer is kept for its Idempotency-Key. */
export interface AnswerSeal {
  close(answer: unknown): unknown;
  /** Undefined: it can no longer be opened. */
  open(stored: unknown): unknown;
}

/**
 * For answers that hold a secret (a new token): the table keeps them encrypted (AES-256-GCM) under a key made from the admin token, so
 * that a copy of the database gives no token away. After the admin token has been replaced they cannot be opened any more.
 */
export function createAnswerSeal(adminToken: string): AnswerSeal {
  const key = Buffer.from(hkdfSync('sha256', adminToken, '', 'spillway idempotent answers', 32));
  return {
    close(answer) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv);
      const text = Buffer.concat([cipher.update(JSON.stringify(answer), 'utf8'), cipher.final()]);
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
