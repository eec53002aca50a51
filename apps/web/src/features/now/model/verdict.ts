import type { Backfill } from '@spillway/shared/api/backfill';
import type { Stages, Streams } from '@spillway/shared/api/pipeline';
import { formatMs, formatRate, formatRatio, known } from '../../../lib/format.ts';
import { replayRate } from '../../backfill/model/ceilings.ts';
import { shortId } from '../../backfill/model/short-id.ts';

/**
 * The one sentence of the Now screen: is the live path safe, and what is hurting it?
 *
 * Live freshness (publish to applied) and the live stream's consumer lag in time are the symptoms and decide. Pressure
 * in the stages is a cause: by itself it is worth watching, since backpressure that holds replay back is the pipeline working as meant.
 * What cannot be known is said to be unknown; it is never safe.
 */
export type VerdictLevel = 'safe' | 'watch' | 'risk' | 'unknown';

export interface VerdictInput {
  /** The event stream is down or silent: nothing below is the present. */
  readonly stale: boolean;
  readonly values: Readonly<Record<string, number | null>>;
  readonly stages: Stages | null;
  readonly streams: Streams['items'];
  readonly backfills: readonly Backfill[];
  readonly replayPaused: boolean;
}

export interface Verdict {
  readonly level: VerdictLevel;
  readonly sentence: string;
  /** Each with its numbers, the worst first. */
  readonly reasons: readonly string[];
  /** Backfills that publish now, the fastest first: what a pause would relieve. */
  readonly suspects: readonly Backfill[];
}

/** Older than this at p99, live has visibly lost its realtime; half of it is worth a look. */
export const freshnessLimitMs = 1_000;
const watchMs = freshnessLimitMs / 2;

export function decideVerdict(input: VerdictInput): Verdict {
  const suspects = replaying(input.backfills);
  if (input.stale) {
    return {
      level: 'unknown',
      sentence: 'Live path unknown: no telemetry is arriving. What is shown is the last that was known.',
      reasons: ['The event stream is down or silent; it is being opened again.'],
      suspects,
    };
  }

  const symptoms = liveSymptoms(input);
  const worst = symptoms[0];
  const causes = stageCauses(input.stages);
  const freshness = input.values['liveFreshnessMsP99'];
  const liveRate = input.values['liveEventsPerSecond'];
  const beside = replayClause(input, suspects);

  if (worst?.level === 'risk') {
    return {
      level: 'risk',
      sentence: `Live path at risk: ${worst.text}; ${beside}.`,
      reasons: [...symptoms.slice(1).map(({ text }) => text), ...causes],
      suspects,
    };
  }
  if (worst?.level === 'watch') {
    return {
      level: 'watch',
      sentence: `Live path strained: ${worst.text}; ${beside}.`,
      reasons: [...symptoms.slice(1).map(({ text }) => text), ...causes],
      suspects,
    };
  }
  if (!known(freshness)) {
    return liveRate === 0
      ? {
          level: 'watch',
          sentence: `No live events are arriving, so there is no freshness to measure; ${beside}.`,
          reasons: causes,
          suspects,
        }
      : {
          level: 'unknown',
          sentence: `Live path unknown: its freshness has not been measured yet; ${beside}.`,
          reasons: causes,
          suspects,
        };
  }
  return {
    level: 'safe',
    sentence: `Live path is safe: ${formatMs(freshness)} fresh at p99; ${beside}.`,
    // Pressure without a symptom is backpressure doing its work: the pipeline strip shows it, nobody is called.
    reasons: [],
    suspects,
  };
}

interface Symptom {
  readonly level: 'watch' | 'risk';
  readonly text: string;
  readonly overLimit: number;
}

function liveSymptoms({ values, streams }: VerdictInput): Symptom[] {
  const live = streams.find((stream) => stream.role !== 'replay');
  const measured: [number | null | undefined, (text: string) => string][] = [
    [
      values['liveFreshnessMsP99'],
      (text) => `live freshness is ${text} at p99 (limit ${formatMs(freshnessLimitMs)})`,
    ],
    [live?.consumerLagMs, (text) => `the live stream lags ${text} (limit ${formatMs(freshnessLimitMs)})`],
  ];
  return measured
    .flatMap(([ms, say]): Symptom[] =>
      known(ms) && ms >= watchMs
        ? [
            {
              level: ms >= freshnessLimitMs ? 'risk' : 'watch',
              text: say(formatMs(ms)),
              overLimit: ms / freshnessLimitMs,
            },
          ]
        : [],
    )
    .sort((a, b) => b.overLimit - a.overLimit);
}

function stageCauses(stages: Stages | null): string[] {
  if (stages === null) return [];
  return stages.stages
    .filter((stage) => stage.pressure === 'high' && (stage.stage === 'store' || stage.stage === 'aggregate'))
    .map((stage) => {
      const latency = known(stage.latencyMsP99) ? `, ${formatMs(stage.latencyMsP99)} at p99` : '';
      const blocked =
        known(stage.blockedRatio) && stage.blockedRatio > 0
          ? `, blocked ${formatRatio(stage.blockedRatio)} of the time`
          : '';
      return `${stage.stage} is under HIGH pressure${latency}${blocked}`;
    });
}

/** What replay does at this moment, in words that follow a semicolon. */
function replayClause(input: VerdictInput, suspects: readonly Backfill[]): string {
  const [fastest, ...others] = suspects;
  if (fastest === undefined) {
    if (input.replayPaused) return 'all replay is paused';
    const rate = input.values['replayEventsPerSecond'];
    return known(rate) && rate > 0
      ? `${formatRate(rate)} of replay still drain from the stream`
      : 'nothing is replaying';
  }
  const rate = formatRate(replayRate(fastest));
  const more = others.length === 0 ? '' : `, ${others.length} more beside it`;
  return `${shortId(fastest.id)} adds ${rate}${more}`;
}

function replaying(backfills: readonly Backfill[]): Backfill[] {
  return backfills
    .filter((backfill) => backfill.state === 'running' && (replayRate(backfill) ?? 0) > 0)
    .sort((a, b) => (replayRate(b) ?? 0) - (replayRate(a) ?? 0));
}
