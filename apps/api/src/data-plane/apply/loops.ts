import type { LaneName } from './next-batch.ts';

/**
 * Which lanes are served by one loop. A store that commits side by side gives live and replay one each, so that no live event waits for a commit of
 * replay's; two loops on a store that serves one statement at a time would only queue there, where nobody puts live first.
 */
export function loopsFor(commitsSideBySide: boolean): readonly (readonly LaneName[])[] {
  return commitsSideBySide ? [['live'], ['replay']] : [['live', 'replay']];
}
