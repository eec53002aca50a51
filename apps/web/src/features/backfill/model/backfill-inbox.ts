import type { Backfill } from '@spillway/shared/api/backfill';
import type { QueryClient } from '@tanstack/react-query';
import { backfillKeys } from '../api/keys.ts';
import type { BackfillList } from '../api/list-backfills.ts';
import { newer } from './newer.ts';

/**
 * Backfills as the event stream tells them, kept until the next flush and then written where the screens read.
 * Lists are changed in place. A backfill that no list has seen, or one whose state has changed, makes the lists be read again, since
 * which rows belong is the server's to say; a table that somebody is in shows it when they have left.
 */
export class BackfillInbox {
  readonly #queryClient: QueryClient;
  readonly #waiting = new Map<string, Backfill>();
  readonly #states = new Map<string, string>();

  constructor(queryClient: QueryClient) {
    this.#queryClient = queryClient;
  }

  receive(backfill: Backfill): void {
    this.#waiting.set(backfill.id, backfill);
  }

  flush(): void {
    if (this.#waiting.size === 0) return;
    const changed = new Map(this.#waiting);
    this.#waiting.clear();

    let reread = false;
    for (const backfill of changed.values()) {
      if (this.#states.get(backfill.id) !== backfill.state) reread = true;
      this.#states.set(backfill.id, backfill.state);
      this.#queryClient.setQueryData<Backfill>(backfillKeys.one(backfill.id), (before) =>
        newer(before, backfill),
      );
    }
    this.#queryClient.setQueriesData<BackfillList>({ queryKey: backfillKeys.lists }, (list) =>
      list === undefined || !list.items.some(({ id }) => changed.has(id))
        ? list
        : { ...list, items: list.items.map((item) => newer(item, changed.get(item.id) ?? item)) },
    );
    if (reread) void this.#queryClient.invalidateQueries({ queryKey: backfillKeys.lists });
  }
}
