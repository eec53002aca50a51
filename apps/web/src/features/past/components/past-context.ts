import type { Moment } from '@spillway/shared/api/past';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { type QueryKey, type UseQueryOptions, useQuery } from '@tanstack/react-query';
import { useSearch } from '@tanstack/react-router';
import { createContext, useContext } from 'react';
import { useNow } from '../../../lib/use-now.ts';
import type { LiveSnapshot } from '../../telemetry/model/live-store.ts';
import type { PastSearch } from '../model/past-search.ts';

/** A past moment that is looked at. Whatever reads live telemetry reads this instead, by the same hooks. */
export interface Past {
  /** As chosen, epoch ms. */
  readonly atMs: number;
  /** Null while it is on its way. */
  readonly moment: Moment | null;
  /** What is shown is not yet what was chosen. */
  readonly loading: boolean;
  readonly snapshot: LiveSnapshot;
}

/** Null: the present. */
export const PastContext = createContext<Past | null>(null);

export function usePast(): Past | null {
  return useContext(PastContext);
}

/** Whether the address names a past moment, for what stands around the screen: whoever looks at one is not offered to act on the present. */
export function useLooksBack(): boolean {
  return (useSearch({ strict: false }) as PastSearch).at !== undefined;
}

/** The time by which a screen counts: now, or the moment that is looked at. */
export function useScreenNow(): number {
  const past = usePast();
  const nowMs = useNow();
  return past?.atMs ?? nowMs;
}

/** What a screen shows of a list: as the server answers, or as it was recorded. */
type Reading<T> =
  | { readonly isPending: true; readonly isLoadingError: false; readonly data: undefined }
  | {
      readonly isPending: false;
      readonly isLoadingError: true;
      readonly data: undefined;
      readonly error: Error;
      readonly refetch: () => unknown;
    }
  | { readonly isPending: false; readonly isLoadingError: false; readonly data: T };

/** `recorded`: what of the moment answers the question; null: it was not recorded. */
export function useReading<T, Key extends QueryKey>(
  options: UseQueryOptions<T, Error, T, Key>,
  recorded: (moment: Moment) => T | null,
): Reading<T> | null {
  const past = usePast();
  const present = useQuery({ ...options, enabled: past === null });
  if (past === null) return present as Reading<T>;
  if (past.moment === null) return { isPending: true, isLoadingError: false, data: undefined };
  const data = recorded(past.moment);
  return data === null ? null : { isPending: false, isLoadingError: false, data };
}

/** The pipeline as far as it was recorded. Nothing can be done to what has been. */
export function usePipelineAt(pipeline: Pipeline): Pipeline {
  const past = usePast();
  if (past === null) return pipeline;
  const { moment } = past;
  return {
    ...pipeline,
    replayPaused: moment?.replayPaused ?? false,
    capacity: {
      ...pipeline.capacity,
      eventsPerSecond: moment?.values['capacityEventsPerSecond'] ?? null,
      origin: 'unknown',
      measuredEventsPerSecond: null,
    },
    allowedActions: [],
  };
}
