import type { Stages } from '@spillway/shared/api/pipeline';
import type { Tone } from '../../../components/badge.tsx';
import { formatRateNumber } from '../../../lib/format.ts';

export type Stage = Stages['stages'][number];

export const stageWords: Readonly<Record<Stage['stage'], string>> = {
  source: 'Source',
  stream: 'Stream',
  aggregate: 'Aggregate',
  store: 'Store',
};
export const pressureWords: Readonly<Record<Stage['pressure'], string>> = {
  ok: 'Flowing',
  low: 'Low pressure',
  high: 'HIGH pressure',
  unknown: 'Unknown',
};
export const pressureTones: Readonly<Record<Stage['pressure'], Tone>> = {
  ok: 'good',
  low: 'warn',
  high: 'warn',
  unknown: 'quiet',
};

export function isPressed({ stages }: Stages): boolean {
  return stages.some(({ pressure }) => pressure === 'high');
}

export function queueTone(stage: Pick<Stage, 'queueLength' | 'queueLimit'>): 'quiet' | 'warn' | 'bad' {
  const fill = (stage.queueLength ?? 0) / (stage.queueLimit ?? 1);
  return fill < 0.5 ? 'quiet' : fill < 0.9 ? 'warn' : 'bad';
}

/** What its rate is made of, and of what: published up to the stream, applied behind it. */
export function rateNote({ stage, liveEventsPerSecond, replayEventsPerSecond }: Stage): string {
  if (stage === 'source') return 'history, published for replay';
  const parts = `live ${formatRateNumber(liveEventsPerSecond)} · replay ${formatRateNumber(replayEventsPerSecond)}`;
  // Of a store that is not ours it is what the consumer groups have finished.
  return stage === 'stream'
    ? `published: ${parts}`
    : liveEventsPerSecond === null
      ? parts
      : `applied: ${parts}`;
}
