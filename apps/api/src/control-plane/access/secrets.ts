import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Only digests are kept. The secrets have 192 bits or more, so a plain SHA-256 is as good as a slow hash. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** In constant time: both sides are digests of one length. */
export function sameDigest(left: string, right: string): boolean {
  const a = Buffer.from(left, 'hex');
  const b = Buffer.from(right, 'hex');
  return a.length === 32 && b.length === 32 && timingSafeEqual(a, b);
}

/** 256 bits. The prefix lets secret scanners recognise it. */
export const newToken = () => `spw_${randomBytes(32).toString('base64url')}`;
/** 256 bits, in the form of Standard Webhooks. */
export const newWebhookSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
/** 256 bits: the value of the session cookie, and of its CSRF token. */
export const newSessionSecret = () => randomBytes(32).toString('base64url');
/** 192 bits, short enough for a terminal. */
export const newSignInCode = () => randomBytes(24).toString('base64url');
export const newId = (prefix: string) => `${prefix}_${randomBytes(10).toString('hex')}`;
