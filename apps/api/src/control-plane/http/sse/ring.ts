import type { Role } from '@spillway/shared/api/session';
import { allowedVerbs } from '@spillway/shared/backfill/state-machine';
import type { Change } from '../../context.ts';
import { pipelineActions } from '../../pipelines/resource.ts';
import { frameOf } from './client.ts';

/** An event as it goes to browsers: made into text once per role, however many listen. */
export interface RingEntry {
  readonly id: string;
  frameFor(role: Role): Buffer;
}

export interface Ring {
  add(change: Change): RingEntry;
  /** Everything after an id; null when the ring cannot tell (too old, or of another start of the api). */
  after(id: string): readonly RingEntry[] | null;
}

/**
 * The last events, for browsers that come back. Ids carry the start they belong to: after a restart the counting begins anew, and an
 * old id must not be taken for a new one.
 */
export function createRing(startedAt: number, capacity: number): Ring {
  const start = startedAt.toString(36);
  const entries: RingEntry[] = [];
  let next = 1;
  return {
    add(change) {
      const entry = entryOf(`${start}-${next}`, change);
      next += 1;
      entries.push(entry);
      if (entries.length > capacity) entries.shift();
      return entry;
    },
    after(id) {
      const [, ofStart, number] = /^([0-9a-z]+)-(\d{1,15})$/.exec(id) ?? [];
      const seen = Number(number);
      const oldest = next - entries.length;
      if (ofStart !== start || !(seen < next) || seen < oldest - 1) return null;
      return entries.slice(seen - oldest + 1);
    },
  };
}

function entryOf(id: string, change: Change): RingEntry {
  const frames = new Map<Role, Buffer>();
  return {
    id,
    frameFor(role) {
      let frame = frames.get(role);
      if (frame === undefined) {
        frame = frameOf(change.event, forRole(change, role), id);
        frames.set(role, frame);
      }
      return frame;
    },
  };
}

/** `allowedActions` is what the reader may do, whoever caused the change. */
function forRole(change: Change, role: Role): unknown {
  if (change.event === 'telemetry' || change.event === 'alert' || change.event === 'pipeline_removed')
    return change.data;
  const mayOperate = role === 'operator' || role === 'admin';
  if (change.event === 'backfill') {
    const { backfill } = change.data;
    return { backfill: { ...backfill, allowedActions: allowedVerbs(backfill, mayOperate) } };
  }
  const { pipeline } = change.data;
  return { pipeline: { ...pipeline, allowedActions: pipelineActions(pipeline, { role }) } };
}
