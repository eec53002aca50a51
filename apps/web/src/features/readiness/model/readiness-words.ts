/** The checklist in words: its summary, its groups, and where each answer is changed. */
import {
  type Readiness,
  type ReadinessAnswer,
  type ReadinessGroup,
  type ReadinessId,
  type ReadinessItem,
  readinessGroups,
} from '@spillway/shared/api/readiness';
import type { Tone } from '../../../components/badge.tsx';
import { plainTimes } from '../../../lib/instant.ts';

export const answerWords: Readonly<Record<ReadinessAnswer, string>> = {
  yes: 'Yes',
  no: 'No',
  unknown: 'Unknown',
};

export const answerTones: Readonly<Record<ReadinessAnswer, Tone>> = {
  yes: 'good',
  no: 'bad',
  unknown: 'warn',
};

export const groupWords: Readonly<Record<ReadinessGroup, readonly [title: string, about: string]>> = {
  rate: ['Rate', 'How much replay may do, and of what'],
  live: ['Live first', 'What gives way when both want the same'],
  streams: ['Backpressure and room', 'What happens when the store is slow'],
  backfills: ['Before and after a run', 'Known before it starts, proved when it has ended'],
  operation: ['Operation', 'Who works, who is told, and what is kept'],
};

/** What its link is called: the setting, or the place where something can be done about it. */
export const placeWords: Readonly<Record<ReadinessId, string>> = {
  rate_explicit: 'Replay share',
  concurrency_bounded: 'Sources replaying at once',
  floor_below_share: 'Floor',
  capacity_known: 'Capacity',
  live_fresh: 'Signals',
  live_first: 'Route',
  signals_read: 'Signals',
  stall_stops_replay: 'Fire drills',
  backpressure_reaches_reader: 'Fire drills',
  stream_holds_peak: 'High-water mark',
  pause_is_safe: 'Streams',
  history_counted: 'Sources',
  cost_known: 'Price book',
  reconnects_bounded: 'Reconnect stagger',
  proof_matched: 'Backfills',
  workers_present: 'Workers',
  workers_spare: 'Workers',
  alerts_quiet: 'Alerts',
  telemetry_kept: 'Telemetry',
  tokens_last: 'Tokens',
};

/** "9 of 12 yes, 2 no, 1 unknown"; what there is none of is left out. */
export function summaryOf({ counts, items }: Pick<Readiness, 'counts' | 'items'>): string {
  const rest = (['no', 'unknown'] as const).filter((answer) => counts[answer] > 0);
  return [
    `${counts.yes} of ${items.length} yes`,
    ...rest.map((answer) => `${counts[answer]} ${answer}`),
  ].join(', ');
}

/** In the order in which they are answered: an answer that changes moves nothing. Groups without a question are left out. */
export function groupsOf(
  items: readonly ReadinessItem[],
): readonly { readonly group: ReadinessGroup; readonly items: readonly ReadinessItem[] }[] {
  return readinessGroups
    .map((group) => ({ group, items: items.filter((item) => item.group === group) }))
    .filter(({ items: own }) => own.length > 0);
}

/** Much is measured by workers: where one of a role is missing, that comes before all else. Null: they are there. */
export function comesFirst(items: readonly ReadinessItem[]): ReadinessItem | null {
  return items.find(({ id, answer }) => id === 'workers_present' && answer === 'no') ?? null;
}

/** What wants a hand, then what wants a look. */
export function openOf(items: readonly ReadinessItem[]): readonly ReadinessItem[] {
  return (['no', 'unknown'] as const).flatMap((answer) => items.filter((item) => item.answer === answer));
}

export interface Place {
  readonly to: string;
  readonly search: { readonly pipeline?: string };
  /** Empty: the screen as a whole. */
  readonly hash: string;
}

/** From `/pipeline?pipeline=flights#replay-share` to what a link of this site takes. */
export function placeOf(setting: string): Place {
  const { pathname, searchParams, hash } = new URL(setting, 'http://here');
  const pipeline = searchParams.get('pipeline');
  return { to: pathname, search: pipeline === null ? {} : { pipeline }, hash: hash.slice(1) };
}

/** Commands stand between backticks. */
export function evidenceParts(
  evidence: string,
): readonly { readonly text: string; readonly code: boolean }[] {
  return evidence
    .split('`')
    .map((text, index) => ({ text: index % 2 === 1 ? text : plainTimes(text), code: index % 2 === 1 }))
    .filter(({ text }) => text !== '');
}
