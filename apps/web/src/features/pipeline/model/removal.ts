/** What removing a pipeline does, and why it cannot be removed now. */
import type { Pipeline } from '@spillway/shared/api/pipeline';

const NAMED_MAX = 3;

/** What is not finished of it; `leftOut`: more backfills than are named. Null: not known yet. */
export interface Unfinished {
  readonly backfills: { readonly items: readonly { readonly id: string }[]; readonly leftOut: number } | null;
  readonly drill: boolean;
}

/** Null: it can be. */
export function whyItStays({ backfills, drill }: Unfinished): string | null {
  if (backfills === null) return 'Which of its backfills are not finished is not known yet.';
  const { items, leftOut } = backfills;
  if (items.length > 0) {
    const named = items.slice(0, NAMED_MAX).map(({ id }) => id);
    const others = items.length - named.length + leftOut;
    const all = others === 0 ? named : [...named, `${others} more`];
    const list = all.length === 1 ? all[0] : `${all.slice(0, -1).join(', ')} and ${all.at(-1)}`;
    return `It stays while backfills are not finished: complete or cancel ${list} first.`;
  }
  return drill ? 'It stays while a fire drill is under way, which ends by itself.' : null;
}

export function removalConsequences({ kind, external }: Pick<Pipeline, 'kind' | 'external'>): string[] {
  return [
    'It is no longer measured or governed, and nothing is replayed into it. Its alerts are cleared; its settings, sources, probes and recorded measurements go.',
    kind === 'external'
      ? `Nothing of yours is deleted: the stream ${external?.stream ?? ''} with what lies on it, its groups, your consumers, your store and the histories stay as they are.`
      : 'Its live feed and its appliers stand still. Its streams, the events and buckets in the store, and the histories stay as they are. The demo is not made again at the next start.',
    'Its finished backfills stay readable with their proofs, receipts and costs, and so does the audit. Another pipeline may have its name.',
    'It cannot be taken back.',
  ];
}
