/** Before a run: what there is to replay and what it costs. After it: is it proved? And what reconnects may queue meanwhile. */
import { type Answer, no, type ReadinessFacts, unknown, yes } from './facts.ts';
import { ago, count, counted, listed, milliseconds, sentence } from './words.ts';

export function historyCounted({
  sources,
  workers,
  nowMs,
}: Pick<ReadinessFacts, 'sources' | 'workers' | 'nowMs'>): Answer {
  if (sources.length === 0) return no('The pipeline has no source: there is nothing to replay.');
  const failed = sources.filter(({ failure }) => failure !== null);
  if (failed.length > 0)
    return no(`${listed(failed.map(({ id, failure }) => `${id}: ${failure}`))}.`.replace(/\.\.$/, '.'));
  const uncounted = sources.filter(({ counted: known }) => known === null);
  if (uncounted.length > 0)
    return unknown(
      `${count(uncounted.length)} of ${counted(sources.length, 'source')} ${uncounted.length === 1 ? 'has' : 'have'} not been counted yet: ${listed(uncounted.map(({ id }) => id))}.${workers.replay.working === 0 ? ' No replay worker is at work to count them.' : ''}`,
    );
  const known = sources.flatMap(({ counted: one }) => (one === null ? [] : [one]));
  const sum = known.reduce<number | null>(
    (total, { events }) => (total === null || events === null ? null : total + events.likely),
    0,
  );
  const estimated = known.filter(({ exact }) => !exact).length;
  const oldestMs = Math.min(...known.map(({ atMs }) => atMs));
  return yes(
    `${counted(sources.length, 'source holds', 'sources hold')} ${sum === null ? 'a number of events that is not known' : `${estimated > 0 ? 'about ' : ''}${counted(sum, 'event')}`}, ${estimated === 0 ? 'counted' : estimated === sources.length ? 'estimated' : `${count(estimated)} of them estimated,`} ${ago(oldestMs, nowMs)}.`,
  );
}

export function costKnown({ priceBook, nowMs }: Pick<ReadinessFacts, 'priceBook' | 'nowMs'>): Answer {
  if (priceBook === null)
    return no('There is no price book: a quote tells time and peaks, and no cost; budgets cannot hold.');
  const version = `Version ${priceBook.version} of the price book`;
  if (priceBook.exampleOf !== null)
    return no(
      `${version} is the example of ${priceBook.exampleOf}, unchanged: quotes and budgets are in prices that nobody has put in.`,
    );
  return yes(
    `${version}, in ${priceBook.currency}, by ${priceBook.changedBy} ${ago(Date.parse(priceBook.changedAt), nowMs)}: every quote has a cost by item.`,
  );
}

export function reconnectsBounded({
  pipeline: { reconnectStaggerMs: staggerMs, maxSourcesReplaying },
  sources,
  queuedReconnects: queued,
}: Pick<ReadinessFacts, 'pipeline' | 'sources' | 'queuedReconnects'>): Answer {
  const cap = `at most ${counted(maxSourcesReplaying, 'source')} replay at once; gaps of one source near each other share one backfill; ${queued === 0 ? 'no reconnect waits' : counted(queued, 'reconnect waits', 'reconnects wait')} now.`;
  if (staggerMs === 0 && sources.length > 1)
    return no(
      `The reconnect stagger is 0 s: ${counted(sources.length, 'source')} that come back together start together, and ${cap}`,
    );
  return yes(
    staggerMs === 0
      ? `There is one source to come back; ${cap}`
      : `A reconnected source waits for a random part of ${milliseconds(staggerMs)}; ${cap}`,
  );
}

export function proofMatched({ proofs, nowMs }: Pick<ReadinessFacts, 'proofs' | 'nowMs'>): Answer {
  const [newest] = proofs;
  if (newest === undefined) return unknown('No backfill has been proved yet.');
  const mismatched = proofs.filter(({ state }) => state === 'mismatched');
  const [first] = mismatched;
  if (first !== undefined)
    return no(
      `The store does not hold what the source holds after ${listed(mismatched.map(({ backfillId }) => backfillId))}, of the last ${count(proofs.length)} finished.`,
      `/backfills/${first.backfillId}`,
    );
  const unproved = proofs.filter(({ state }) => state === 'unavailable');
  if (unproved.length > 0)
    return unknown(
      `Of ${count(unproved.length)} of the last ${count(proofs.length)} finished backfills nothing could be proved: ${listed(unproved.map(({ backfillId }) => backfillId))}.`,
    );
  const buckets = proofs.reduce((sum, { bucketsChecked }) => sum + bucketsChecked, 0);
  return yes(
    sentence(
      `${proofs.length === 1 ? 'The one finished backfill' : `The last ${count(proofs.length)} finished backfills`} matched the source in ${counted(buckets, 'bucket')}, the newest ${ago(newest.endedAtMs, nowMs)}`,
    ),
  );
}
