import type { Alert } from '@spillway/shared/api/governor';
import type { QueryClient } from '@tanstack/react-query';
import { alertKeys } from '../api/list-alerts.ts';

/**
 * Alerts as the event stream tells them, kept until the next flush and then written where the screens read. A list that is
 * known keeps its order: what is new goes on top, what is cleared goes from the list of what is wrong now.
 */
export class AlertInbox {
  readonly #queryClient: QueryClient;
  readonly #waiting = new Map<string, Alert>();

  constructor(queryClient: QueryClient) {
    this.#queryClient = queryClient;
  }

  receive(alert: Alert): void {
    this.#waiting.set(alert.id, alert);
  }

  flush(): void {
    if (this.#waiting.size === 0) return;
    const changed = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const alert of changed) {
      this.#queryClient.setQueryData<readonly Alert[]>(
        alertKeys.raised(alert.pipelineId),
        (list) => list && withAlert(list, alert).filter(({ clearedAt }) => clearedAt === null),
      );
      this.#queryClient.setQueryData<readonly Alert[]>(
        alertKeys.lately(alert.pipelineId),
        (list) => list && withAlert(list, alert),
      );
    }
  }
}

function withAlert(list: readonly Alert[], alert: Alert): readonly Alert[] {
  return list.some(({ id }) => id === alert.id)
    ? list.map((each) => (each.id === alert.id ? alert : each))
    : [alert, ...list];
}
