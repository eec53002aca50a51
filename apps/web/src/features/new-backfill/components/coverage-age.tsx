import { useState } from 'react';
import { formatSpan } from '../../../lib/format.ts';
import { useNow } from '../../../lib/use-now.ts';

/** An answer that takes longer than this is waited for, and that is said. */
const WAITED_MS = 2_000;

interface CoverageAgeProps {
  /** Epoch ms; null: the store has never answered. */
  readonly readAtMs: number | null;
  /** It is being asked. */
  readonly asking: boolean;
  /** It was asked again, in vain. */
  readonly failed: boolean;
}

/** How old what the map shows is, and whether the store owes a newer answer. */
export function CoverageAge({ readAtMs, asking, failed }: CoverageAgeProps) {
  const nowMs = useNow();
  const [askedAtMs, setAskedAtMs] = useState<number | null>(null);
  if (asking !== (askedAtMs !== null)) setAskedAtMs(asking ? nowMs : null);
  const waitedMs = askedAtMs === null ? 0 : nowMs - askedAtMs;
  const owed =
    waitedMs >= WAITED_MS
      ? `the store has not answered for ${formatSpan(waitedMs)}, it is still being asked`
      : failed
        ? 'the store did not answer when it was asked again'
        : null;
  if (readAtMs === null)
    return owed === null ? null : (
      <>What is stored is unknown: {owed}. A window can be chosen below as two times.</>
    );
  const age = `As the store was ${formatSpan(Math.max(0, nowMs - readAtMs))} ago`;
  return <>{owed === null ? `${age}.` : `${age}: ${owed}.`}</>;
}
