import { streamsATick, type Tick } from '@spillway/shared/api/worker-protocol';

type Replay = NonNullable<Tick['replay']>;

/** What a replay worker knows by this tick: of streams whose turn it was not, what an earlier one has told. */
export function knownBy(replay: Replay, before: Replay | null): Replay {
  const { published, external } = replay;
  return {
    ...replay,
    ...(published === undefined ? {} : { published: withOthers(published, before?.published) }),
    ...(external === undefined ? {} : { external: withOthers(external, before?.external) }),
  };
}

function withOthers<T extends { readonly stream: string }>(told: T[], before: readonly T[] = []): T[] {
  if (told.length < streamsATick) return told;
  const names = new Set(told.map(({ stream }) => stream));
  return [...told, ...before.filter(({ stream }) => !names.has(stream))];
}
