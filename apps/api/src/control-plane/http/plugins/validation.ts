/**
 * One schema validates, types and documents. Bodies are taken as they are: no coercion, no field removed, unknown fields refused.
 * Queries and paths are text, so numbers in them are read.
 */
import type { Problem } from '@spillway/shared/api/problem';
import { isReadable } from '@spillway/shared/api/readable';
import { CALENDAR_FROM_MS } from '@spillway/shared/time/calendar';
import { Ajv, type ErrorObject, type Options } from 'ajv';
import addFormats from 'ajv-formats';
import { ProblemError } from '../../problem-error.ts';
import type { App } from '../parts.ts';

const maxErrors = 20;

const options: Options = {
  allErrors: true,
  removeAdditional: false,
  strict: true,
  strictTypes: false,
  strictRequired: false,
  strictTuples: false,
};
const bodies = withFormats(new Ajv({ ...options, coerceTypes: false }));
/** `array`: a parameter that may be given several times may be given once. */
const texts = withFormats(new Ajv({ ...options, coerceTypes: 'array', useDefaults: true }));

function withFormats(ajv: Ajv): Ajv {
  addFormats.default(ajv);
  ajv.addFormat('date-time', { type: 'string', validate: isInstant });
  return ajv;
}

/** A moment that exists: no 30 February, no year 0, no second 60 (the library's own check lets leap seconds through, `Date` does not). */
function isInstant(text: string): boolean {
  const ms = Date.parse(text);
  return ms >= CALENDAR_FROM_MS && new Date(ms).toISOString().startsWith(text.slice(0, 19));
}

export function validation(app: App): void {
  app.setValidatorCompiler(({ schema, httpPart }) => {
    const validate = (httpPart === 'body' ? bodies : texts).compile(schema as object);
    return (value: unknown) => {
      if (httpPart !== 'body') refuseUnreadableText(value);
      if (validate(value)) return { value };
      const errors = legible(validate.errors ?? [], httpPart === 'body');
      return { error: new ProblemError('invalid_request', summary(errors), { errors }) };
    };
  });
  // What a handler returns is JSON already; that it fits its schema is checked by the tests, not on every answer.
  app.setSerializerCompiler(() => (value) => JSON.stringify(value));
  app.addHook('preValidation', async (request) => {
    if (
      request.routeOptions.config.bodyOptional === true &&
      (request.body === undefined || request.body === null)
    )
      request.body = {};
  });
}

/** A `Nullable(X)` fails three times (X, null, neither): one says enough. */
function legible(all: readonly ErrorObject[], inBody: boolean): Problem['errors'] {
  const errors = ofTheKindMeant(all);
  const unions = errors.filter((error) => error.keyword === 'anyOf');
  const kept = errors.filter((error) => {
    const union = unions.find(
      (candidate) => error !== candidate && error.schemaPath.startsWith(`${candidate.schemaPath}/`),
    );
    if (union !== undefined) return !(error.keyword === 'type' && error.params['type'] === 'null');
    return !(
      error.keyword === 'anyOf' &&
      errors.some(
        (inner) =>
          inner !== error &&
          inner.schemaPath.startsWith(`${error.schemaPath}/`) &&
          inner.params['type'] !== 'null',
      )
    );
  });
  return kept
    .slice(0, maxErrors)
    .map((error) => ({ pointer: inBody ? pointerOf(error) : nameOf(error), detail: detailOf(error) }));
}

/**
 * Of a union whose members have a literal `kind`, what is wrong with the member that was meant; where none was, that there is no such kind.
 * Otherwise one wrong field would be as many errors as there are kinds.
 */
function ofTheKindMeant(errors: readonly ErrorObject[]): ErrorObject[] {
  return errors
    .filter(({ keyword }) => keyword === 'anyOf')
    .reduce<ErrorObject[]>(
      (left, union) => {
        const memberOf = ({ schemaPath }: ErrorObject) =>
          schemaPath.startsWith(`${union.schemaPath}/`)
            ? schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0]
            : undefined;
        const wrongKinds = left.filter(
          (error) =>
            memberOf(error) !== undefined &&
            ((error.keyword === 'const' && error.instancePath === `${union.instancePath}/kind`) ||
              (error.params['missingProperty'] === 'kind' && error.instancePath === union.instancePath)),
        );
        if (wrongKinds.length === 0) return left;
        const notMeant = new Set(wrongKinds.map(memberOf));
        const inside = left.filter(
          (error) => memberOf(error) !== undefined && !notMeant.has(memberOf(error)),
        );
        if (inside.length > 0)
          return left.filter(
            (error) => error !== union && (memberOf(error) === undefined || inside.includes(error)),
          );
        const kinds = wrongKinds.flatMap(({ params }) =>
          params['allowedValue'] === undefined ? [] : [params['allowedValue']],
        );
        const [first] = wrongKinds;
        const one =
          kinds.length > 0 && first !== undefined
            ? [{ ...first, keyword: 'enum', params: { allowedValues: kinds } }]
            : first === undefined
              ? []
              : [first];
        return [...left.filter((error) => error !== union && memberOf(error) === undefined), ...one];
      },
      [...errors],
    );
}

function pointerOf(error: ErrorObject): string {
  const field = error.params['missingProperty'] ?? error.params['additionalProperty'];
  return field === undefined
    ? error.instancePath
    : `${error.instancePath}/${String(field).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Name of a query parameter or path part. */
function nameOf(error: ErrorObject): string {
  return pointerOf(error).slice(1);
}

function detailOf(error: ErrorObject): string {
  if (error.keyword === 'additionalProperties') return 'is not a field of this request';
  if (error.keyword === 'required') return 'is required';
  if (error.keyword === 'enum')
    return `must be one of ${(error.params['allowedValues'] as unknown[]).join(', ')}`;
  return error.message ?? 'does not fit';
}

function summary(errors: Problem['errors']): string {
  const [first] = errors;
  if (first === undefined) return 'The request does not fit the schema';
  const rest = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  return `${first.pointer === '' ? 'The body' : first.pointer} ${first.detail}${rest}`;
}

function refuseUnreadableText(value: unknown): void {
  for (const [name, given] of Object.entries(value ?? {})) {
    if ([given].flat().some((text) => typeof text === 'string' && !isReadable(text)))
      throw new ProblemError('invalid_request', `${name} holds a character that cannot be stored`, {
        pointer: name,
      });
  }
}
