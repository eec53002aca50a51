/**
 * What the name of an object says about the times in it: `year={YYYY}/month={MM}/day={DD}/hour={HH}`, as a template. It is the beginning of the
 * name, below the folder or prefix; `*` stands for anything but a slash. The finest that is named is how long a partition is, UTC.
 */

/** Epoch ms, half-open. */
interface Range {
  readonly from: number;
  readonly to: number;
}

export interface Partitions {
  readonly template: string;
  /** Null: the template does not fit the name, or there is no such day. */
  rangeOf(name: string): Range | null;
}

const units = ['YYYY', 'MM', 'DD', 'HH'] as const;
type Unit = (typeof units)[number];

const PLACEHOLDER = /\{([^{}]*)\}/;

/** What is wrong with the template completes "the template …". */
export function parsePartitions(template: string): Partitions | string {
  const parts = template.split(/(\{[^{}]*\}|\*)/);
  const named: Unit[] = [];
  let pattern = '^';
  for (const part of parts) {
    const placeholder = PLACEHOLDER.exec(part)?.[1];
    const unit = units.find((one) => one === placeholder);
    if (part === '*') pattern += '[^/]*';
    else if (placeholder === undefined) pattern += part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    else if (unit === undefined) return 'knows {YYYY}, {MM}, {DD} and {HH}';
    else if (named.includes(unit)) return `has {${unit}} twice`;
    else {
      named.push(unit);
      pattern += unit === 'YYYY' ? '(\\d{4})' : '(\\d{1,2})';
    }
  }
  const finest = named.length - 1;
  if (finest < 0 || units.slice(0, finest + 1).some((unit) => !named.includes(unit)))
    return 'must have {YYYY}, and {MM} before {DD} before {HH} where it has these';
  const fits = new RegExp(
    template.endsWith('/') || template.endsWith('*') ? pattern : `${pattern}(?=[/.]|$)`,
  );
  return {
    template,
    rangeOf(name) {
      const found = fits.exec(name);
      if (found === null) return null;
      const numbers = units.map((unit, position) =>
        position > finest ? (unit === 'HH' ? 0 : 1) : Number(found[1 + named.indexOf(unit)]),
      ) as [number, number, number, number];
      return partition(numbers, finest);
    },
  };
}

function partition(
  [year, month, day, hour]: readonly [number, number, number, number],
  finest: number,
): Range | null {
  const from = at(year, month, day, hour);
  const there = new Date(from);
  if (there.getUTCMonth() !== month - 1 || there.getUTCDate() !== day || hour > 23) return null;
  const to = at(
    year + Number(finest === 0),
    month + Number(finest === 1),
    day + Number(finest === 2),
    hour + Number(finest === 3),
  );
  return { from, to };
}

/** Not by Date.UTC: it takes the years 0 to 99 for those of the last century. */
function at(year: number, month: number, day: number, hour: number): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour);
  return date.getTime();
}
