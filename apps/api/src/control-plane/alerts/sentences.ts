/**
 * What an alert says: while it stands, and of the same once it is over. Both are written at the same moment, from the same figures: afterwards they are
 * gone. A duration is that of the last moment it was said, so what is over lasted at least as long.
 */
import type { GovernorView, Signal } from '@spillway/shared/api/governor';
import type { StoppedLane, WorkerRole } from '@spillway/shared/api/worker-protocol';
import type { Astray } from '../workers/stream-sightings.ts';
import type { LostWorker } from './lost-workers.ts';

export interface Said {
  readonly detail: string;
  readonly past: string;
}

const DRILL = 'Fire drill by';

/** What a drill brings about: whoever is woken by it reads first that somebody means it. */
export function saidOfDrill({ detail, past }: Said, by: string): Said {
  const lead = `${DRILL} ${by}.`;
  return { detail: `${lead} ${detail}`, past: `${lead} ${past}` };
}

export function isOfDrill({ detail }: Pick<Said, 'detail'>): boolean {
  return detail.startsWith(DRILL);
}

/** `rate`: what it publishes, events/s; null: unknown. `active`: those whose rates are known are the ones that publish. */
export function saidOfStorm(
  replaying: readonly { readonly id: string; readonly rate: number | null }[],
  active: boolean,
): Said {
  const who = (verb: string) =>
    replaying.map(({ id, rate }) =>
      rate === null || !active ? id : `${id} ${verb} ${inWords(rate)} events/s`,
    );
  const meanwhile = (verb: string, unnamed: string) =>
    replaying.length === 0 ? unnamed : `${listed(who(verb))}${active ? '' : ' ran'}`;
  return {
    detail: `Replay storm: live has been falling behind while ${meanwhile('publishes', 'replay runs')}; replay is held to the floor until live has caught up.`,
    past: `Replay storm: live fell behind while ${meanwhile('published', 'replay ran')}; replay was held to the floor until live had caught up.`,
  };
}

export function saidOfSilentStore(silentMs: number): Said {
  return {
    detail: `The store has not answered for ${seconds(silentMs)}: nothing is replayed until it does and live has caught up.`,
    past: `The store did not answer for at least ${seconds(silentMs)}: nothing was replayed until it did and live had caught up.`,
  };
}

export const saidOfFullStream: Said = {
  detail: 'The replay stream is at its high-water mark: the reader waits until it has been worked off.',
  past: 'The replay stream was at its high-water mark: the reader waited until it had been worked off.',
};

/** Lanes that stand by one cause: one, or both. */
export function saidOfStop(first: StoppedLane, together: readonly StoppedLane[]): Said {
  const { lane, code, detail } = first;
  const streams = listed(together.map(({ stream }) => stream));
  const unapplied = (be: string) =>
    together.length === 1 ? `${lane} ${be} not applied` : `neither live nor replay ${be} applied`;
  const reason = because(detail);
  return {
    detail: `The applier of ${streams} has stopped with ${code}, so ${unapplied('is')}${reason} ${whatToDo[code] ?? 'It tries again by itself; its log says more.'}`,
    past: `The applier of ${streams} had stopped with ${code}, so ${unapplied('was')}${reason}`,
  };
}

/** By the code that stops an applier. */
const whatToDo: Readonly<Record<string, string>> = {
  gap: 'Nothing is skipped: do what the operations guide says under "A stream that has lost its end".',
  stream_unavailable: "Look at the stream's server: it goes on by itself when that answers.",
  stream_full: "Give the stream's server memory: it goes on by itself.",
  stream_denied: "Mend the user of SPILLWAY_STREAM_URL, or that user's rights.",
  stream_refused: "Mend the setting of the stream's server: it goes on by itself.",
  stream_corrupt: 'Give Spillway a database or prefix of its own.',
  store_unavailable: 'Look at the store: it goes on by itself when that answers.',
  store_failed: 'Mend what the store refuses: it goes on by itself.',
  schema_newer: 'The store was migrated by a newer version: start the workers of that version.',
};

export function saidOfUnseenGroups(problem: string): Said {
  return {
    detail: `The consumer groups cannot be looked at, so nothing is replayed${because(problem)}`,
    past: `The consumer groups could not be looked at, so nothing was replayed${because(problem)}`,
  };
}

/** `host` undefined: it is not known any more. */
export function saidOfAstray({ workerId, problem }: Astray, host: string | undefined): Said {
  const who = `Replay worker ${workerId}${host === undefined ? '' : ` on ${host}`}`;
  return {
    detail: `${who} does not reach the stream that others see, and is given nothing of this pipeline until it does${because(problem)}`,
    past: `${who} did not reach the stream that others saw, and was given nothing of this pipeline until it did${because(problem)}`,
  };
}

export function saidOfBreach({ name, title, kind, value, target, worseWhen }: Signal): Said {
  const unit = kind === 'measured' ? unitOf(name) : '';
  const beyond = `${worseWhen === 'above' ? 'above' : 'below'} its target of ${inWords(target ?? 0)}${unit}`;
  // A commit that is owed breaches its target before there is a number.
  const figure = value === null ? '' : ` ${inWords(value)}${unit},`;
  return {
    detail: `${title} is${figure} ${beyond}: replay is cut back until it has recovered.`,
    past: `${title} was${figure} ${beyond}: replay was cut back until it had recovered.`,
  };
}

export function saidOfUnread({ title, detail }: Signal, { hardStop }: Pick<GovernorView, 'hardStop'>): Said {
  const held = (be: string) =>
    hardStop === null ? `replay ${be} held to its floor` : `nothing ${be} replayed`;
  return {
    detail: `${title} cannot be read and counts as bad, so ${held('is')}${because(detail)}`,
    past: `${title} could not be read and counted as bad, so ${held('was')}${because(detail)}`,
  };
}

export function saidOfBudget(backfillId: string, spent: boolean, figures: string): Said {
  const budget = `The budget of ${backfillId}`;
  return spent
    ? {
        detail: `${budget} is spent: ${figures}. It is held until the budget is raised.`,
        past: `${budget} was spent: ${figures}. It was held.`,
      }
    : { detail: `${budget} is nearly spent: ${figures}.`, past: `${budget} was nearly spent: ${figures}.` };
}

const withoutRole: Readonly<Record<WorkerRole, Said>> = {
  apply: { detail: 'nothing is applied', past: 'nothing was applied' },
  replay: { detail: 'nothing is replayed', past: 'nothing was replayed' },
  feed: { detail: 'the feed sends no live events', past: 'the feed sent no live events' },
};

export function saidOfLost({ id, role, host, silentMs, leftSince }: LostWorker): Said {
  const { detail, past } = withoutRole[role];
  const left = (has: string) =>
    leftSince === null ? '' : `, and ${leftSince.id} on ${leftSince.host} ${has} left since`;
  return {
    detail: `No ${role} worker answers: ${id} on ${host} was last heard ${seconds(silentMs)} ago${left('has')}. Until one joins, ${detail}.`,
    past: `No ${role} worker answered: ${id} on ${host} had not been heard for at least ${seconds(silentMs)}${left('had')}; ${past}.`,
  };
}

export function saidOfFailedSource(id: string, reason: string | null): Said {
  return {
    detail: `Source ${id} has failed${because(reason)}`,
    past: `Source ${id} had failed${because(reason)}`,
  };
}

export function saidOfFailedBackfill(id: string, reason: string | null): Said {
  const failed = `${id} failed${because(reason)}`;
  return { detail: `${failed} What it did is kept: retry or cancel it.`, past: failed };
}

/** Units stand last in the names of measured signals, before a percentile. */
function unitOf(name: string): string {
  if (/Ms(P\d+)?$/.test(name)) return ' ms';
  if (name.endsWith('BytesPerSecond')) return ' bytes/s';
  if (name.endsWith('PerSecond')) return ' rows/s';
  return '';
}

function because(detail: string | null): string {
  const text = detail?.trim() ?? '';
  if (text === '') return '.';
  return `: ${text}${/[.!?]$/.test(text) ? '' : '.'}`;
}

function listed(parts: readonly string[]): string {
  return parts.length < 2 ? parts.join() : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 1000)} s`;
}

function inWords(value: number): string {
  const digits = Math.abs(value) >= 10 ? 0 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}
