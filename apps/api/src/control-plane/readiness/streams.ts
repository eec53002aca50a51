/** Backpressure and room: does a slow store stop the reader, and is what waits meanwhile kept? */
import type { Drill } from '@spillway/shared/api/governor';
import { pauseAlert, roomFor } from '@spillway/shared/quote/stream-plan';
import { spanText } from '@spillway/shared/time/span';
import { type Answer, EVIDENCE_LASTS_MS, no, type ReadinessFacts, unknown, yes } from './facts.ts';
import { ago, count, milliseconds, percent, sentence } from './words.ts';

const NOT_REPORTED = 'No applier has reported the stream in the last seconds.';

type DrillFacts = Pick<ReadinessFacts, 'drills' | 'nowMs' | 'external'>;

/** The newest drill that is over and really stalled the store; or why there is none that could tell. */
function lastDrill({ drills, nowMs, external }: DrillFacts): Drill | Answer {
  if (external === true)
    return unknown(
      'The store is not ours to be stalled: stop your consumers for a while, and see the reader wait.',
      null,
    );
  const over = drills.filter(({ state }) => state === 'finished' || state === 'failed');
  const finished = over.find(({ state, stalledAt }) => state === 'finished' && stalledAt !== null);
  if (finished === undefined) {
    const failed = over[0];
    if (failed !== undefined)
      return unknown(
        `No fire drill has been finished; the last, ${ago(Date.parse(failed.requestedAt), nowMs)}, failed${failed.detail === null ? '.' : `: ${sentence(failed.detail)}`}`,
      );
    return unknown(
      drills.length > 0
        ? 'The first fire drill is under way.'
        : 'No fire drill has been run: nobody has tried.',
    );
  }
  const atMs = Date.parse(finished.requestedAt);
  return nowMs - atMs > EVIDENCE_LASTS_MS
    ? unknown(`The last fire drill was ${ago(atMs, nowMs)}: too long ago to say what would happen today.`)
    : finished;
}

type Judged = (drill: Drill, told: string) => Answer;

function byDrill(facts: DrillFacts, judge: Judged): Answer {
  const drill = lastDrill(facts);
  if ('answer' in drill) return drill;
  const told = `In the fire drill ${ago(Date.parse(drill.requestedAt), facts.nowMs)} the store stood still for ${milliseconds(stalledMs(drill))}`;
  if (drill.recoveredAt === null)
    return no(
      `${told}, and not all became normal again.${drill.detail === null ? '' : ` ${sentence(drill.detail)}`}`,
    );
  return judge(drill, told);
}

export function stallStopsReplay(facts: DrillFacts): Answer {
  return byDrill(facts, (drill, told) => {
    const stops = [drill.readerStoppedAt, drill.governorStoppedAt].filter((at) => at !== null);
    const [first] = stops.toSorted();
    if (first === undefined) return unknown(`${told}, but replay was not seen to stop.${detail(drill)}`);
    return yes(
      `${told}; replay had stopped ${after(drill, first)}, and all was normal again ${recovery(drill)}.`,
    );
  });
}

/** The safety valve alone: the governor, which usually comes first, may be dead one day. */
export function backpressureReachesReader(facts: DrillFacts): Answer {
  return byDrill(facts, (drill, told) => {
    if (drill.readerStoppedAt === null)
      return unknown(
        `${told}, but the reader did not come to its gate.${detail(drill)}${drill.governorStoppedAt === null ? '' : ' A drill with a lower high-water mark or a faster replay fills the stream first.'}`,
      );
    return yes(
      `${told}; the reader stopped at its gate ${after(drill, drill.readerStoppedAt)}${drill.peakBacklog === null ? '' : `, with at most ${count(drill.peakBacklog)} entries on the stream`}, and all was normal again ${recovery(drill)}.`,
    );
  });
}

function stalledMs({ stalledAt, releasedAt, forMs }: Drill): number {
  return stalledAt === null || releasedAt === null ? forMs : Date.parse(releasedAt) - Date.parse(stalledAt);
}

function after({ stalledAt }: Drill, at: string): string {
  const ms = Date.parse(at) - Date.parse(stalledAt ?? at);
  return ms > 0 ? `${milliseconds(ms)} after that` : 'before it began';
}

function recovery({ releasedAt, recoveredAt }: Drill): string {
  return releasedAt === null || recoveredAt === null
    ? 'afterwards'
    : `${milliseconds(Date.parse(recoveredAt) - Date.parse(releasedAt))} after the release`;
}

function detail({ detail: said }: Drill): string {
  return said === null ? '' : ` ${sentence(said)}`;
}

/** The mark is where the reader stops: the most there ever is to be kept. */
export function streamHoldsPeak({
  stream,
  pipeline: { highWaterMark: mark, capacityEventsPerSecond: capacity },
}: Pick<ReadinessFacts, 'stream' | 'pipeline'>): Answer {
  if (stream === null) return unknown(NOT_REPORTED);
  const most = `The reader stops at ${count(mark)} entries${stream.length === null ? '' : `, with ${count(stream.length)} there now`}`;
  if (stream.keeps === null && isUncertain(stream)) return unknown(`${most}, kept ${stream.retention}.`);
  if (stream.keeps === null)
    return yes(`${most}; what is not applied is never trimmed, so retention does not limit it.`);
  const { ms, bytes } = stream.keeps;
  const bytesPerEntry =
    stream.length && stream.lengthBytes !== null ? stream.lengthBytes / stream.length : null;
  if (bytes !== null && bytesPerEntry === null)
    return unknown(
      stream.length && stream.lengthBytes === null
        ? `${most}, kept ${stream.retention}: how large an entry is the server does not tell.`
        : `${most}, but how large an entry is has not been measured: nothing is on the stream.`,
    );
  if (ms !== null && capacity === null)
    return unknown(`${most}, but how long that takes to work off is not known without a capacity.`);
  const room = roomFor(
    {
      length: mark,
      bytes: mark * (bytesPerEntry ?? 0),
      waitMs: capacity === null ? 0 : (mark / capacity) * 1_000,
    },
    stream.keeps,
  );
  const told = `${most}. ${room.detail}`;
  return room.fits ? yes(told) : no(`${told} That is ${percent(room.part ?? 1)} of it.`);
}

export function pauseIsSafe({ stream }: Pick<ReadinessFacts, 'stream'>): Answer {
  if (stream === null) return unknown(NOT_REPORTED);
  if (stream.length === null) return unknown(`How much waits on ${stream.name} could not be read.`);
  const waiting = `${stream.consumerLag === null ? 'An unknown number of entries waits' : stream.consumerLag === 1 ? '1 entry waits' : `${count(stream.consumerLag)} entries wait`} on ${stream.name}`;
  if (stream.safePausedForMs === null && isUncertain(stream))
    return unknown(`Nobody can tell for how long: ${waiting}, kept ${stream.retention}.`);
  if (stream.safePausedForMs === null)
    return yes(`For as long as it takes: ${waiting}, kept ${stream.retention}.`);
  const most = isUncertain(stream) ? 'For at most' : 'For';
  const told = `${most} ${spanText(stream.safePausedForMs)}: ${waiting}, kept ${stream.retention}.`;
  if (stream.keeps !== null && pauseAlert(stream.safePausedForMs, stream.keeps) !== null) return no(told);
  return isUncertain(stream) ? unknown(told) : yes(told);
}

/** Somebody accepted that it drops by size, or that nobody says when. */
function isUncertain({ accepted }: Pick<NonNullable<ReadinessFacts['stream']>, 'accepted'>): boolean {
  return accepted?.includes('retention') === true;
}
