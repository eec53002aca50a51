import { type Problem, type ProblemCode, problemCodes } from '@spillway/shared/api/problem';

/** A refusal the caller can act on. The HTTP layer turns it into `application/problem+json`; nothing has been changed when it is thrown. */
export class ProblemError extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly errors: Problem['errors'];
  readonly extra: Pick<Problem, 'state' | 'allowedActions' | 'current'>;

  constructor(
    code: ProblemCode,
    detail: string,
    options: { pointer?: string; errors?: Problem['errors']; cause?: unknown } & Pick<
      Problem,
      'state' | 'allowedActions' | 'current'
    > = {},
  ) {
    super(detail, { cause: options.cause });
    this.name = 'ProblemError';
    this.code = code;
    this.status = problemCodes[code][0];
    this.errors =
      options.errors ?? (options.pointer === undefined ? [] : [{ pointer: options.pointer, detail }]);
    this.extra = {
      ...(options.state === undefined ? {} : { state: options.state }),
      ...(options.allowedActions === undefined ? {} : { allowedActions: options.allowedActions }),
      ...(options.current === undefined ? {} : { current: options.current }),
    };
  }
}
