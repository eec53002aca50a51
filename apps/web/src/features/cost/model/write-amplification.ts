import type { MeteredCost } from '@spillway/shared/api/cost';
import { formatBytes, known } from '../../../lib/format.ts';

/** ", 312 B a row inserted"; empty where that cannot be said. */
export function walPerRow({ walBytes, rowsInserted }: MeteredCost['writeAmplification']): string {
  if (!known(walBytes) || !known(rowsInserted) || rowsInserted === 0) return '';
  return `, ${formatBytes(Math.round(walBytes / rowsInserted))} a row inserted`;
}
