import { createHash } from 'node:crypto';
import { canonicalJson } from './canonical-json.ts';

/** What one row's hash covers. `at` is ISO 8601 with milliseconds: the database keeps microseconds, so nothing is lost. */
export interface ChainedRow {
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
  readonly address: string | null;
  readonly action: string;
  readonly target: string;
  readonly reason: string | null;
  readonly before: unknown;
  readonly after: unknown;
  readonly previousHash: string;
}

/** The hash before the first row. */
export const genesisHash = '0'.repeat(64);

export function rowHash(row: ChainedRow): string {
  const { sequence, at, actor, address, action, target, reason, before, after, previousHash } = row;
  return createHash('sha256')
    .update(
      canonicalJson({
        sequence,
        at,
        actor,
        address,
        action,
        target,
        reason,
        before: before ?? null,
        after: after ?? null,
        previousHash,
      }),
    )
    .digest('hex');
}
