/**
 * What an admin sets of a pipeline, as a form holds it: shares in percent, an empty field as null. A patch names only what was
 * changed, so that two people who change different things do not undo each other.
 */
import type { PatchPipeline, Pipeline } from '@spillway/shared/api/pipeline';
import { formatCount, formatMs, formatRate } from '../../../lib/format.ts';

export interface Settings {
  /** Null: measured, or unknown where another system writes the store. */
  readonly capacityEventsPerSecond: number | null;
  readonly replaySharePercent: number | null;
  readonly replayFloorPercent: number | null;
  readonly headroomPercent: number | null;
  readonly maxSourcesReplaying: number | null;
  readonly highWaterMark: number | null;
  readonly reconnectStaggerSeconds: number | null;
  /** Absent: not a demo. */
  readonly demoEventsPerSecond: number | null | undefined;
  readonly routeKind: 'separate' | 'shared';
  readonly routeDecision: string;
}
export type SettingsProblems = Partial<Record<keyof Settings, string>>;

const percent = (share: number) => Math.round(share * 1_000) / 10;

export function settingsOf(pipeline: Pipeline): Settings {
  return {
    capacityEventsPerSecond:
      pipeline.capacity.origin === 'set_by_hand' ? pipeline.capacity.eventsPerSecond : null,
    replaySharePercent: percent(pipeline.replayShare),
    replayFloorPercent: percent(pipeline.replayFloor),
    headroomPercent: percent(pipeline.headroom),
    maxSourcesReplaying: pipeline.maxSourcesReplaying,
    highWaterMark: pipeline.highWaterMark,
    reconnectStaggerSeconds: pipeline.reconnectStaggerMs / 1_000,
    demoEventsPerSecond: pipeline.demo?.liveEventsPerSecond,
    routeKind: pipeline.route.kind,
    routeDecision: pipeline.route.decision,
  };
}

/** What can be known to be wrong without asking the server. */
export function settingsProblems(settings: Settings): SettingsProblems {
  const problems: Record<string, string> = {};
  const between = (name: keyof Settings, low: number, high: number, what: string) => {
    const value = settings[name];
    if (value === undefined) return;
    if (typeof value !== 'number' || !(value >= low && value <= high))
      problems[name] = `${what} between ${formatCount(low)} and ${formatCount(high)}`;
  };
  between('replaySharePercent', 0, 100, 'A percentage');
  between('replayFloorPercent', 0, 100, 'A percentage');
  between('headroomPercent', 0, 100, 'A percentage');
  between('maxSourcesReplaying', 1, 64, 'A number');
  between('highWaterMark', 1_000, 100_000_000, 'Entries');
  between('reconnectStaggerSeconds', 0, 3_600, 'Seconds');
  between('demoEventsPerSecond', 0, 5_000, 'A rate');
  if (settings.capacityEventsPerSecond !== null && !(settings.capacityEventsPerSecond > 0))
    problems['capacityEventsPerSecond'] = 'More than 0, or empty to have it measured';
  if (
    settings.replayFloorPercent !== null &&
    settings.replaySharePercent !== null &&
    settings.replayFloorPercent > settings.replaySharePercent
  )
    problems['replayFloorPercent'] = 'At most the replay share';
  if (settings.routeDecision.trim() === '') problems['routeDecision'] = 'Say why, for whoever asks later';
  return problems;
}

/** Only what differs; empty when nothing does. */
export function settingsPatch(before: Settings, after: Settings): PatchPipeline {
  const changed = (name: keyof Settings) => before[name] !== after[name];
  const { capacityEventsPerSecond, replaySharePercent, replayFloorPercent, headroomPercent } = after;
  const { maxSourcesReplaying, highWaterMark, reconnectStaggerSeconds, demoEventsPerSecond } = after;
  return {
    ...(changed('capacityEventsPerSecond') ? { capacityEventsPerSecond } : {}),
    ...(changed('replaySharePercent') && replaySharePercent !== null
      ? { replayShare: replaySharePercent / 100 }
      : {}),
    ...(changed('replayFloorPercent') && replayFloorPercent !== null
      ? { replayFloor: replayFloorPercent / 100 }
      : {}),
    ...(changed('headroomPercent') && headroomPercent !== null ? { headroom: headroomPercent / 100 } : {}),
    ...(changed('maxSourcesReplaying') && maxSourcesReplaying !== null ? { maxSourcesReplaying } : {}),
    ...(changed('highWaterMark') && highWaterMark !== null ? { highWaterMark } : {}),
    ...(changed('reconnectStaggerSeconds') && reconnectStaggerSeconds !== null
      ? { reconnectStaggerMs: Math.round(reconnectStaggerSeconds * 1_000) }
      : {}),
    ...(changed('demoEventsPerSecond') && demoEventsPerSecond != null
      ? { demo: { liveEventsPerSecond: demoEventsPerSecond } }
      : {}),
    ...(changed('routeKind') || changed('routeDecision')
      ? { route: { kind: after.routeKind, decision: after.routeDecision.trim() } }
      : {}),
  };
}

export const settingTitles: Readonly<Record<keyof Settings, string>> = {
  capacityEventsPerSecond: 'Capacity',
  replaySharePercent: 'Replay share',
  replayFloorPercent: 'Floor',
  headroomPercent: 'Headroom',
  maxSourcesReplaying: 'Sources replaying at once',
  highWaterMark: 'High-water mark',
  reconnectStaggerSeconds: 'Reconnect stagger',
  demoEventsPerSecond: 'Live rate of the demo',
  routeKind: 'Route',
  routeDecision: 'Decision',
};

/** Where on the screen each stands, for links that lead to it: in form or list alike. */
export const settingAnchors: Readonly<Record<keyof Settings, string>> = {
  capacityEventsPerSecond: 'capacity',
  replaySharePercent: 'replay-share',
  replayFloorPercent: 'replay-floor',
  headroomPercent: 'headroom',
  maxSourcesReplaying: 'max-sources-replaying',
  highWaterMark: 'high-water-mark',
  reconnectStaggerSeconds: 'reconnect-stagger',
  demoEventsPerSecond: 'demo-rate',
  routeKind: 'route',
  routeDecision: 'route-decision',
};

/** The server's pointers, by the field they stand at. */
export const settingPointers: Readonly<Record<string, keyof Settings>> = {
  '/capacityEventsPerSecond': 'capacityEventsPerSecond',
  '/replayShare': 'replaySharePercent',
  '/replayFloor': 'replayFloorPercent',
  '/headroom': 'headroomPercent',
  '/maxSourcesReplaying': 'maxSourcesReplaying',
  '/highWaterMark': 'highWaterMark',
  '/reconnectStaggerMs': 'reconnectStaggerSeconds',
  '/demo/liveEventsPerSecond': 'demoEventsPerSecond',
  '/route/kind': 'routeKind',
  '/route/decision': 'routeDecision',
};

/** "Floor: 5 % → 10 %", one each; empty when nothing differs. */
export function describeSettingsChange(
  before: Settings,
  after: Settings,
  { kind }: Pick<Pipeline, 'kind'>,
): string[] {
  const text = (name: keyof Settings, settings: Settings) => settingText(name, settings, { kind });
  return (Object.keys(settingTitles) as (keyof Settings)[])
    .filter((name) => before[name] !== after[name])
    .map((name) => `${settingTitles[name]}: ${text(name, before)} → ${text(name, after)}`);
}

export function settingText(
  name: keyof Settings,
  settings: Settings,
  { kind }: Pick<Pipeline, 'kind'>,
): string {
  const value = settings[name];
  if (name === 'capacityEventsPerSecond' && value === null)
    return kind === 'external' ? 'unknown' : 'measured';
  if (name === 'capacityEventsPerSecond') return formatRate(value as number);
  if (value === null || value === undefined) return 'none';
  if (typeof value === 'string') return value;
  if (name.endsWith('Percent')) return `${value} % of capacity`;
  if (name === 'highWaterMark') return `${formatCount(value)} entries`;
  if (name === 'reconnectStaggerSeconds') return `up to ${formatMs(value * 1_000)}`;
  if (name === 'demoEventsPerSecond') return formatRate(value);
  return formatCount(value);
}
