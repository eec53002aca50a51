/** The objects of a history in runs that have one partition, whose time their names say; without a template all of them are one run. */
import { parsePartitions } from '@spillway/shared/sources/partitions';
import { SourceError, type TimeRange } from '../../data-plane/ports.ts';
import type { StoredObject } from './objects.ts';

export interface Partition {
  readonly objects: readonly StoredObject[];
  /** What their names say; null: nothing. */
  readonly within: TimeRange | null;
}

/** Errors: `source_schema` naming the object that the template does not fit. */
export function partitionsOf(
  objects: readonly StoredObject[],
  template: string | undefined,
): readonly Partition[] {
  if (template === undefined) return [{ objects, within: null }];
  const partitions = parsePartitions(template);
  if (typeof partitions === 'string') throw new SourceError('source_schema', `the template ${partitions}`);
  const runs: { objects: StoredObject[]; within: TimeRange }[] = [];
  for (const object of objects) {
    const within = partitions.rangeOf(object.name);
    if (within === null)
      throw new SourceError(
        'source_schema',
        `the template ${template} of the partitions does not fit ${object.path}`,
        object.name,
      );
    const last = runs.at(-1);
    if (last?.within.from === within.from && last.within.to === within.to) last.objects.push(object);
    else runs.push({ objects: [object], within });
  }
  return runs;
}

/** Whether something of the range can lie in it. */
export function mayHold({ within }: Partition, { from, to }: TimeRange): boolean {
  return within === null || (within.from < to && within.to > from);
}

/** A window is read from the partitions whose names say that they hold it: what lies in another would never be met. */
export function outside(address: string, at: number, { from, to }: TimeRange): SourceError {
  const shown = (ms: number) => (Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : String(ms));
  return new SourceError(
    'source_schema',
    `${address} is of ${shown(at)}, outside ${shown(from)} to ${shown(to)}, which is what its name says: leave the template of the partitions out, or correct it`,
    address,
  );
}
