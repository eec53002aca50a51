/** Cache keys of everything about backfills, so that the event stream can write where the screens read. */
export const backfillKeys = {
  lists: ['backfills'] as const,
  list: (filter: object) => ['backfills', filter] as const,
  all: ['backfill'] as const,
  one: (id: string) => ['backfill', id] as const,
  part: (id: string, part: string) => ['backfill', id, part] as const,
};
