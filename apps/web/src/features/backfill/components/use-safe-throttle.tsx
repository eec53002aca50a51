import type { Backfill, Receipt } from '@spillway/shared/api/backfill';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatRate } from '../../../lib/format.ts';
import { ProblemError } from '../../../lib/http.ts';
import { backfillKeys } from '../api/keys.ts';
import { throttleBackfill } from '../api/throttle-backfill.ts';
import type { ThrottleStep } from '../model/safe-rate.ts';
import { shortId } from '../model/short-id.ts';

export interface SafeThrottleReceipt {
  readonly receipt: Receipt;
  readonly asked: string;
}

/** One click: every backfill that asks for more than its part of the safe rate is limited to it. A receipt each. */
export function useSafeThrottle() {
  const queryClient = useQueryClient();
  const [receipts, setReceipts] = useState<readonly SafeThrottleReceipt[]>([]);
  const mutation = useMutation({
    mutationFn: (steps: readonly ThrottleStep[]) => Promise.allSettled(steps.map(throttle)),
    onMutate: () => setReceipts([]),
    // One that is refused hides no other's receipt.
    onSuccess: (outcomes, steps) => {
      setReceipts(outcomes.flatMap((each) => (each.status === 'fulfilled' ? (each.value ?? []) : [])));
      for (const [index, each] of outcomes.entries())
        if (each.status === 'rejected')
          reportFailure(
            `Throttling ${shortId(steps[index]?.backfill.id ?? '')} to the safe rate`,
            each.reason,
          );
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: backfillKeys.lists }),
  });
  return { busy: mutation.isPending, throttle: mutation.mutate, receipts };
}

/** Null: somebody has made it as slow meanwhile, or stopped it. */
async function throttle({
  backfill,
  askedEventsPerSecond,
  eventsPerSecond,
}: ThrottleStep): Promise<SafeThrottleReceipt | null> {
  const asked = `${shortId(backfill.id)}: ${askedEventsPerSecond === null ? 'its share' : formatRate(askedEventsPerSecond)} → ${formatRate(eventsPerSecond)}`;
  const order = (revision: number) => throttleBackfill(backfill.id, { eventsPerSecond }, revision);
  try {
    return { receipt: await order(backfill.revision), asked };
  } catch (error) {
    // It is made safe, not edited: a change that came in between is taken over, unless it was as safe.
    const current =
      error instanceof ProblemError && error.status === 412
        ? (error.problem.current as Backfill | undefined)
        : undefined;
    if (current === undefined) throw error;
    if (current.state !== 'running') return null;
    if ((current.limits.eventsPerSecond ?? Number.POSITIVE_INFINITY) <= eventsPerSecond) return null;
    return { receipt: await order(current.revision), asked };
  }
}
