import { Button } from '@mantine/core';
import { formatCount } from '../lib/format.ts';

/** Below a list of which the first are shown: the rest on demand. Nothing, where there is no rest. */
export function ShowMore({
  more,
  all,
  onAll,
}: {
  /** How many are left out at first. */
  readonly more: number;
  /** Whether they are shown. */
  readonly all: boolean;
  readonly onAll: (all: boolean) => void;
}) {
  if (more <= 0) return null;
  return (
    <Button variant="subtle" size="xs" m="xs" aria-expanded={all} onClick={() => onAll(!all)}>
      {all ? 'Show fewer' : `Show ${formatCount(more)} more`}
    </Button>
  );
}
