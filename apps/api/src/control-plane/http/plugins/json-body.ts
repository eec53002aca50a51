import { isReadable } from '@spillway/shared/api/readable';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';

/** JSON and nothing else: with its parser gone, a `text/plain` form of another site is answered 415. */
export function jsonBody(app: App): void {
  app.removeAllContentTypeParsers();
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    // Some clients name a content type and send nothing.
    if (text === '' && request.routeOptions.config.bodyOptional === true) return done(null, {});
    parseJson(request, text as string, (error, body) => {
      if (error)
        return done(
          new ProblemError('malformed_json', 'The body is not JSON', { pointer: '', cause: error }),
        );
      // Only an escape can bring in what JSON text itself may not hold.
      const pointer = (text as string).includes('\\u') ? findUnreadable(body, '') : null;
      if (pointer !== null)
        return done(
          new ProblemError('invalid_request', 'A text holds a character that cannot be stored', { pointer }),
        );
      done(null, body);
    });
  });
}

function findUnreadable(value: unknown, pointer: string): string | null {
  if (typeof value === 'string') return isReadable(value) ? null : pointer;
  if (value === null || typeof value !== 'object') return null;
  for (const [field, inner] of Object.entries(value)) {
    const below = isReadable(field)
      ? findUnreadable(inner, `${pointer}/${field.replaceAll('~', '~0').replaceAll('/', '~1')}`)
      : pointer;
    if (below !== null) return below;
  }
  return null;
}
