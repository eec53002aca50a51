/** Who works, who would take over, what is wrong, and what will be known tomorrow. */
import type { WorkerRole } from '@spillway/shared/api/worker-protocol';
import { spanText } from '@spillway/shared/time/span';
import { type Answer, no, type ReadinessFacts, type RoleFact, yes } from './facts.ts';
import { ago, count, counted, listed, milliseconds, sentence } from './words.ts';

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
      [
        ...missing.map(([role, so]) => `No ${role} worker ticks: ${so}.`),
        ...howTheyJoin(missing.map(([role]) => role)),
      ].join(' '),
      WORKERS,
    );
  return yes(sentence(roles.map(([role]) => presence(role, workers[role])).join('; ')));
}

/** Where they are listed, with the tokens that they join with. */
const WORKERS = '/settings#workers';

function howTheyJoin(roles: readonly WorkerRole[]): readonly string[] {
  const commands = roles.flatMap((role) => (role === 'feed' ? [] : [`\`pnpm worker --role ${role}\``]));
  return [
    ...(commands.length === 0
      ? []
      : [
          `${listed(commands)} ${commands.length === 1 ? 'joins one' : 'join one each'} from any machine, or \`pnpm start\` with SPILLWAY_WORKERS above 0.`,
        ]),
    ...(roles.includes('feed') ? ['The feed runs with `pnpm start`.'] : []),
  ];
}

function presence(role: string, { working, heardMs }: RoleFact): string {
  return `${count(working)} ${role} worker${working === 1 ? '' : 's'}, last heard ${heardMs === null ? 'at an unknown time' : `${milliseconds(heardMs)} ago`}`;
}

/** Replay workers all work, so a second one is the spare; so is a second applier, whether it stands by or applies replay while the other applies live. */
export function workersSpare({
  workers: { replay, apply },
  external,
}: Pick<ReadinessFacts, 'workers' | 'external'>): Answer {
  const present = (role: string, { working }: RoleFact) =>
    working === 0 ? `no ${role} worker` : counted(working, `${role} worker`);
  const ofApply = `; ${present('apply', apply)}, and ${apply.standby === 0 ? 'none' : count(apply.standby)} standing by`;
  const told = `${present('replay', replay)}${external === true ? '' : ofApply}`;
  const idle = replay.working === 0 || (external !== true && apply.working === 0);
  // There is no only one that could die.
  if (idle)
    return no(
      `${sentence(told.charAt(0).toUpperCase() + told.slice(1))} Who is missing comes before a spare.`,
      WORKERS,
    );
  const lacking = [
    ...(replay.working >= 2 ? [] : ['replay']),
    ...(external === true || apply.working + apply.standby >= 2 ? [] : ['apply']),
  ];
  return lacking.length === 0
    ? yes(`${told}: when one dies, another goes on at once.`)
    : no(
        `${told}: when the only one dies, its work waits until it has been started again. \`pnpm worker --role ${lacking[0]}\` joins a spare from any machine.`,
        WORKERS,
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
