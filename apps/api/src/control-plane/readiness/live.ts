/** Live before replay: is live measured, is it well, and what gives way when both want the same? */
import type { Signal } from '@spillway/shared/api/governor';
import { externalConsequence, type Route, routeConsequence } from '@spillway/shared/governor/route';
import { type Answer, no, type ReadinessFacts, unknown, yes } from './facts.ts';
import { counted, listed, milliseconds, sentence } from './words.ts';

const NOT_LOOKED = 'The governor has not looked at the pipeline in the last seconds.';

export function liveFresh({
  pipeline,
  signals,
  external,
}: Pick<ReadinessFacts, 'pipeline' | 'signals' | 'external'>): Answer {
  const target = pipeline.signals.liveFreshnessMsP99?.target ?? null;
  if (external === true && target === null)
    return unknown('Not measured here: the consumers are your own. A probe of yours may say how they do.');
  if (target === null)
    return no(
      'Live freshness has no target: it is measured, but nothing holds replay back when it gets worse.',
    );
  if (pipeline.signals.liveFreshnessMsP99?.failMode === 'ignore')
    return no(
      `Live freshness has a target of ${milliseconds(target)}, but is left out when it cannot be read: replay would not be held back.`,
    );
  const signal = signals?.find(({ name }) => name === 'liveFreshnessMsP99');
  if (signal === undefined) return unknown(`The target is ${milliseconds(target)}. ${NOT_LOOKED}`);
  const { verdict, value, ageMs, detail } = signal;
  if (verdict === 'unknown' || verdict === 'ungoverned')
    return unknown(`The target is ${milliseconds(target)}, but it cannot be read${because(detail)}`);
  const measured =
    value === null
      ? 'No live event waits, and none was applied in the last seconds'
      : `Live freshness, p99, is ${milliseconds(value)}${ageMs === null ? '' : `, measured ${milliseconds(ageMs)} ago`}`;
  return verdict === 'breached'
    ? no(`${measured}: beyond its target of ${milliseconds(target)}.`)
    : yes(`${measured}; its target is ${milliseconds(target)}.`);
}

export function liveFirst({ pipeline, external }: Pick<ReadinessFacts, 'pipeline' | 'external'>): Answer {
  const target = pipeline.signals.liveFreshnessMsP99?.target ?? null;
  const decision = pipeline.routeDecision.trim();
  const route = pipeline.route as Route;
  const consequence = external === true ? externalConsequence[route] : routeConsequence(route, target);
  if (decision === '') return no(`${consequence} Nobody has written down why.`);
  const told = `${consequence} Decided: “${sentence(decision)}”`;
  if (external === true) return route === 'shared' ? no(told) : unknown(told);
  return route === 'shared' && target === null ? no(told, '/pipeline#signals') : yes(told);
}

export function signalsRead({ signals }: Pick<ReadinessFacts, 'signals'>): Answer {
  if (signals === null) return unknown(NOT_LOOKED);
  const governing = signals.filter(({ target }) => target !== null);
  if (governing.length === 0)
    return no('No signal has a target: nothing but the capacity holds replay back.');
  const unread = governing.filter(({ verdict }) => verdict === 'unknown');
  if (unread.length > 0)
    return no(
      `${counted(unread.length, 'signal')} of ${governing.length} with a target cannot be read: ${listed(unread.map(why))}.`,
    );
  return yes(
    `${counted(governing.length, 'signal has', 'signals have')} a target, and ${governing.length === 1 ? 'it is' : 'all are'} read: ${listed(governing.map(({ title }) => title))}.`,
  );
}

function why({ title, detail, failMode }: Signal): string {
  return `${title} (${detail ?? 'no reason is known'}; ${failMode === 'bad' ? 'counts as bad' : 'left out'})`;
}

function because(detail: string | null): string {
  return detail === null ? '.' : `: ${sentence(detail)}`;
}
