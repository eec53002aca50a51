/** The checklist: every question, where its answer is changed, and who decides it. Pure. */
import type { Readiness, ReadinessItem } from '@spillway/shared/api/readiness';
import { costKnown, historyCounted, proofMatched, reconnectsBounded } from './backfills.ts';
import type { Answer, ReadinessFacts } from './facts.ts';
import { liveFirst, liveFresh, signalsRead } from './live.ts';
import { alertsQuiet, telemetryKept, tokensLast, workersPresent, workersSpare } from './operation.ts';
import { capacityKnown, concurrencyBounded, floorBelowShare, rateExplicit } from './rate.ts';
import { backpressureReachesReader, pauseIsSafe, stallStopsReplay, streamHoldsPeak } from './streams.ts';

interface Question extends Pick<ReadinessItem, 'id' | 'group' | 'question' | 'setting'> {
  decide(facts: ReadinessFacts): Answer;
}

const questions: readonly Question[] = [
  {
    id: 'rate_explicit',
    group: 'rate',
    question: 'Is the rate of replay explicit, and less than everything?',
    setting: '/pipeline#replay-share',
    decide: rateExplicit,
  },
  {
    id: 'concurrency_bounded',
    group: 'rate',
    question: 'Is it bounded how much replays at once?',
    setting: '/pipeline#max-sources-replaying',
    decide: concurrencyBounded,
  },
  {
    id: 'floor_below_share',
    group: 'rate',
    question: 'Does the floor of replay leave live what it needs?',
    setting: '/pipeline#replay-floor',
    decide: floorBelowShare,
  },
  {
    id: 'capacity_known',
    group: 'rate',
    question: 'Is it known what the pipeline can take?',
    setting: '/pipeline#capacity',
    decide: capacityKnown,
  },
  {
    id: 'live_fresh',
    group: 'live',
    question: 'Is live fresh, by a target of its own?',
    setting: '/pipeline#signals',
    decide: liveFresh,
  },
  {
    id: 'live_first',
    group: 'live',
    question: 'Does live come before replay, by a recorded decision?',
    setting: '/pipeline#route',
    decide: liveFirst,
  },
  {
    id: 'signals_read',
    group: 'live',
    question: 'Can every signal that governs be read?',
    setting: '/pipeline#signals',
    decide: signalsRead,
  },
  {
    id: 'stall_stops_replay',
    group: 'streams',
    question: 'Does a store that stands still stop replay?',
    setting: '/pipeline#drills',
    decide: stallStopsReplay,
  },
  {
    id: 'backpressure_reaches_reader',
    group: 'streams',
    question: 'Does backpressure reach the reader, without the governor?',
    setting: '/pipeline#drills',
    decide: backpressureReachesReader,
  },
  {
    id: 'stream_holds_peak',
    group: 'streams',
    question: 'Does the stream hold what a replay can put on it?',
    setting: '/pipeline#high-water-mark',
    decide: streamHoldsPeak,
  },
  {
    id: 'pause_is_safe',
    group: 'streams',
    question: 'Is it safe to stay paused?',
    setting: '/streams',
    decide: pauseIsSafe,
  },
  {
    id: 'history_counted',
    group: 'backfills',
    question: 'Is it known how much there is to replay?',
    setting: '/pipeline#sources',
    decide: historyCounted,
  },
  {
    id: 'cost_known',
    group: 'backfills',
    question: 'Is the cost known before the run?',
    setting: '/cost#price-book',
    decide: costKnown,
  },
  {
    id: 'reconnects_bounded',
    group: 'backfills',
    question: 'Are reconnecting sources kept from coming back all at once?',
    setting: '/pipeline#reconnect-stagger',
    decide: reconnectsBounded,
  },
  {
    id: 'proof_matched',
    group: 'backfills',
    question: 'Did the last backfills match their source?',
    setting: '/backfills',
    decide: proofMatched,
  },
  {
    id: 'workers_present',
    group: 'operation',
    question: 'Are workers of every role at work?',
    setting: null,
    decide: workersPresent,
  },
  {
    id: 'workers_spare',
    group: 'operation',
    question: 'Would another go on if one died?',
    setting: null,
    decide: workersSpare,
  },
  {
    id: 'alerts_quiet',
    group: 'operation',
    question: 'Are the alerts quiet?',
    setting: '/pipeline#alerts',
    decide: alertsQuiet,
  },
  {
    id: 'telemetry_kept',
    group: 'operation',
    question: 'Is what happens kept, for whoever asks later?',
    setting: null,
    decide: telemetryKept,
  },
  {
    id: 'tokens_last',
    group: 'operation',
    question: 'Do all tokens last for the next two weeks?',
    setting: '/settings#tokens',
    decide: tokensLast,
  },
];

export function readinessOf(pipelineId: string, facts: ReadinessFacts): Readiness {
  const items = questions.map(({ id, group, question, setting, decide }): ReadinessItem => {
    const { answer, evidence, setting: elsewhere } = decide(facts);
    return {
      id,
      group,
      question,
      answer,
      evidence,
      setting: placeOf(elsewhere === undefined ? setting : elsewhere, pipelineId),
    };
  });
  const of = (answer: ReadinessItem['answer']) => items.filter((item) => item.answer === answer).length;
  return {
    pipelineId,
    at: new Date(facts.nowMs).toISOString(),
    counts: { yes: of('yes'), no: of('no'), unknown: of('unknown') },
    items,
  };
}

/** Screens about a pipeline are told which one; those about a backfill know, and Settings are about all. */
function placeOf(setting: string | null, pipelineId: string): string | null {
  if (setting === null || setting.startsWith('/backfills') || setting.startsWith('/settings')) return setting;
  const [path, anchor] = setting.split('#');
  return `${path}?pipeline=${encodeURIComponent(pipelineId)}${anchor === undefined ? '' : `#${anchor}`}`;
}
