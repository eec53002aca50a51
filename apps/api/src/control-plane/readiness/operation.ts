/** Who works, who would take over, what is wrong, and what will be known tomorrow. */
import { spanText } from '@spillway/shared/time/span';
import { type Answer, no, type ReadinessFacts, type RoleFact, yes } from './facts.ts';
import { ago, count, counted, milliseconds, sentence } from './words.ts';

export function workersPresent({
  workers,
  pipeline,
  external,
}: Pick<ReadinessFacts, 'workers' | 'pipeline' | 'external'>): Answer {
  const roles = [
    ['replay', 'nothing is replayed'],
    // Where the consumers are the user's own, nobody of ours applies.
    ...(external === true ? [] : [['apply', 'nothing is applied, live neither'] as const]),
    ...(pipeline.liveEventsPerSecond === null ? [] : [['feed', 'no live event comes'] as const]),
  ] as const;
  const missing = roles.filter(([role]) => workers[role].working === 0);
  if (missing.length > 0)
    return no(
      `${missing.map(([role, so]) => `No ${role} worker ticks: ${so}.`).join(' ')} \`pnpm worker --role ${missing[0]?.[0] === 'apply' ? 'apply' : 'replay'}\` joins one.`,
    );
  return yes(sentence(roles.map(([role]) => presence(role, workers[role])).join('; ')));
}

function presence(role: string, { working, heardMs }: RoleFact): string {
  return `${count(working)} ${role} worker${working === 1 ? '' : 's'}, last heard ${heardMs === null ? 'at an unknown time' : `${milliseconds(heardMs)} ago`}`;
}

/** Replay workers all work, so a second one is the spare; so is a second applier, whether it stands by or applies replay while the other applies live. */
export function workersSpare({
  workers: { replay, apply },
  external,
}: Pick<ReadinessFacts, 'workers' | 'external'>): Answer {
  const ofApply = `; ${counted(apply.working, 'apply worker')}, and ${apply.standby === 0 ? 'none' : count(apply.standby)} standing by`;
  const told = `${counted(replay.working, 'replay worker')}${external === true ? '' : ofApply}`;
  const lacking = [
    ...(replay.working >= 2 ? [] : ['replay']),
    ...(external === true || apply.working + apply.standby >= 2 ? [] : ['apply']),
  ];
  return lacking.length === 0
    ? yes(`${told}: when one dies, another goes on at once.`)
    : no(
        `${told}: when the only one dies, its work waits until it has been started again. \`pnpm worker --role ${lacking[0]}\` joins a spare from any machine.`,
      );
}

export function alertsQuiet({
  raisedAlerts,
  moreAlerts,
  alertClearedAt,
  nowMs,
}: Pick<ReadinessFacts, 'raisedAlerts' | 'moreAlerts' | 'alertClearedAt' | 'nowMs'>): Answer {
  const [newest] = raisedAlerts;
  if (newest !== undefined)
    return no(
      `${moreAlerts ? 'More than ' : ''}${counted(raisedAlerts.length, 'alert is', 'alerts are')} raised; the newest ${ago(Date.parse(newest.raisedAt), nowMs)}: ${sentence(newest.detail)}`,
    );
  return yes(
    alertClearedAt === null
      ? 'No alert is raised, and none is on record.'
      : `No alert is raised; the last one was cleared ${ago(alertClearedAt, nowMs)}.`,
  );
}

/** Several beats: one that is late is not missing. */
const RECORDED_LATELY_MS = 15_000;

export function telemetryKept({ recorded, nowMs }: Pick<ReadinessFacts, 'recorded' | 'nowMs'>): Answer {
  if (recorded === null) return no('Nothing has been recorded of the pipeline yet.');
  const back = `the record goes back ${spanText(nowMs - recorded.from)}; minutes are kept for 30 days`;
  return nowMs - recorded.to > RECORDED_LATELY_MS
    ? no(`The last second was recorded ${ago(recorded.to, nowMs)}; ${back}.`)
    : yes(`Every second is recorded, the last one ${ago(recorded.to, nowMs)}; ${back}.`);
}

const EXPIRES_SOON_MS = 14 * 86_400_000;

export function tokensLast({ tokenEnds, nowMs }: Pick<ReadinessFacts, 'tokenEnds' | 'nowMs'>): Answer {
  if (tokenEnds.length === 0) return yes('No token has been made that could expire.');
  const soonest = Math.min(...tokenEnds);
  const soon = tokenEnds.filter((at) => at - nowMs <= EXPIRES_SOON_MS).length;
  const next = `the next ends in ${spanText(soonest - nowMs)}`;
  return soon > 0
    ? no(
        `${count(soon)} of ${counted(tokenEnds.length, 'token')} in force ${soon === 1 ? 'ends' : 'end'} within 14 days; ${next}.`,
      )
    : yes(`${counted(tokenEnds.length, 'token is', 'tokens are')} in force; ${next}.`);
}
