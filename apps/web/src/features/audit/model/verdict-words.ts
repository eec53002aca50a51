import type { AuditVerdict } from '@spillway/shared/api/audit';
import { formatCount } from '../../../lib/format.ts';

/** What the verification found, in a sentence that needs no knowledge of hashes. */
export function verdictWords({ intact, entries, firstBroken }: AuditVerdict): string {
  if (intact)
    return entries === 0
      ? 'Nothing has been recorded yet, and nothing is missing.'
      : `All ${formatCount(entries)} entries are as they were written: none was changed, none is missing.`;
  return `Entry ${firstBroken === null ? 'unknown' : formatCount(firstBroken)} was changed, removed, or cut off: from it on nothing is proved. Those before it are as they were written.`;
}
