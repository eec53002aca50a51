import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';

/** Until the database has been migrated and loaded, an answer would be a guess. */
export function preparationGate(app: App, prepared: () => boolean): void {
  app.addHook('onRequest', async (request) => {
    if (!prepared() && request.routeOptions.url !== '/healthz') {
      throw new ProblemError('unavailable', 'Spillway is starting: the control database is not ready yet');
    }
  });
}
