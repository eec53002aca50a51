import type { Coverage, Source } from '@spillway/shared/api/pipeline';

/**
 * Which sources coverage is asked of, one by one, so that it is of the ticked ones alone. Undefined: of all at once, which comes to the same where
 * none is left out, or only such as nobody has counted: of these neither side has anything. It is of all, too, while none is ticked.
 */
export function askedSources(
  sources: readonly Pick<Source, 'id' | 'events'>[],
  ticked: readonly string[],
): readonly string[] | undefined {
  const left = sources.filter(({ id }) => !ticked.includes(id));
  if (ticked.length === 0 || left.every(({ events }) => events === null)) return undefined;
  return sources.flatMap(({ id }) => (ticked.includes(id) ? [id] : []));
}

/** Of several sources together, as the server has it of all: what is not counted is on neither side, unless nothing is. The same steps of each. */
export function mergeCoverage(parts: readonly [Coverage, ...Coverage[]]): Coverage {
  const [first] = parts;
  const counted = parts.filter(({ sources }) => sources.uncounted.length < sources.asked);
  const of = counted.length === 0 ? parts : counted;
  return {
    step: first.step,
    sources: {
      asked: parts.reduce((sum, { sources }) => sum + sources.asked, 0),
      uncounted: parts.flatMap(({ sources }) => sources.uncounted),
    },
    items: first.items.map(({ start }, index) => ({
      start,
      expected: total(of.map(({ items }) => items[index]?.expected ?? null)),
      stored: total(of.map(({ items }) => items[index]?.stored ?? null)),
    })),
  };
}

/** Null as soon as one is unknown. */
function total(counts: readonly (number | null)[]): number | null {
  let sum = 0;
  for (const count of counts) {
    if (count === null) return null;
    sum += count;
  }
  return sum;
}
