import { redactText } from '../../access/redaction.ts';
import type { App } from '../parts.ts';

/** A reason is kept and read by many: a password pasted into it is taken out before anything sees it. */
export function reasons(app: App): void {
  app.addHook('preHandler', async (request) => {
    const body = request.body as { reason?: unknown } | null | undefined;
    if (typeof body?.reason === 'string') body.reason = redactText(body.reason);
  });
}
