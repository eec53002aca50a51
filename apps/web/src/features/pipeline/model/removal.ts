/** What removing a pipeline does, and why it cannot be removed now. */
import type { Pipeline } from '@spillway/shared/api/pipeline';

const NAMED_MAX = 3;

/** What is not finished of it; `leftOut`: more backfills than are named. Null: not known yet. */
export interface Unfinished<Backfill> {
  readonly backfills: { readonly items: readonly Backfill[]; readonly leftOut: number } | null;
  readonly drill: boolean;
}

/** `named`: the backfills to begin with; `others`: how many more there are. */
export interface Stay<Backfill> {
  readonly sentence: string;
  readonly named: readonly Backfill[];
  readonly others: number;
}

/** Null: it can be. */
export function whyItStays<Backfill>({ backfills, drill }: Unfinished<Backfill>): Stay<Backfill> | null {
  const because = (sentence: string) => ({ sentence, named: [], others: 0 });
  if (backfills === null) return because('Which of its backfills are not finished is not known yet.');
  const { items, leftOut } = backfills;
  const count = items.length + leftOut;
  if (count > 0) {
    const named = items.slice(0, NAMED_MAX);
    return {
      sentence: `It stays while ${count === 1 ? 'a backfill is' : `${count} backfills are`} not finished: complete or cancel ${count === 1 ? 'it' : 'them'} first.`,
      named,
      others: count - named.length,
    };
  }
  return drill ? because('It stays while a fire drill is under way, which ends by itself.') : null;
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
