import pino, { type DestinationStream, type Logger } from 'pino';
import { redact, redactText } from './control-plane/access/redaction.ts';
import { isUnreachable } from './control-plane/http/plugins/unreachable.ts';

const DEPTH_MAX = 4;
/** A connection is tried at each address of a host, and fails once for each. */
const CAUSES_MAX = 4;

/** JSON lines without secrets: fields by their names, then the whole line once more for passwords in URLs and bearer tokens. */
export function createLog(name: string, destination?: DestinationStream): Logger {
  const options: pino.LoggerOptions = {
    name,
    formatters: {
      log: (fields) =>
        Object.fromEntries(
          Object.entries(fields).map(([field, value]) => [
            field,
            value instanceof Error ? describe(value) : redactField(field, value),
          ]),
        ),
    },
    serializers: { err: (value) => value, error: (value) => value },
    hooks: { streamWrite: redactText },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

function redactField(field: string, value: unknown): unknown {
  return (redact({ [field]: value }) as Record<string, unknown>)[field];
}

/** Also away, or said by the api: the sentence is all that there is to know. */
const SAYS_ENOUGH = ['stream_unavailable', 'no_answer'];

/** What is away will be asked again and again: said in a line, without what was asked of it, and by whom. */
function describe(error: Error): Record<string, unknown> {
  return isUnreachable(error) || saysEnough(error)
    ? describeError(behindQuery(error), false)
    : describeError(error, true);
}

function saysEnough(error: Error): boolean {
  return error.name === 'ControlError' || ('code' in error && SAYS_ENOUGH.includes(String(error.code)));
}

/** Drizzle names a query that failed, and why in the cause. */
function behindQuery(error: Error): Error {
  return error.message.startsWith('Failed query: ') && error.cause instanceof Error ? error.cause : error;
}

/** Without the parameters of failed queries, which drizzle puts into the message. */
function describeError(error: Error, withStack: boolean, depth = 0): Record<string, unknown> {
  const withoutParameters = (text: string) =>
    redactText(text.replace(/\nparams:[\s\S]*?(?=\n {4}at |$)/, ''));
  return {
    type: error.name,
    message: withoutParameters(error.message),
    ...('code' in error ? { code: String(error.code) } : {}),
    ...(withStack ? { stack: withoutParameters(error.stack ?? '') } : {}),
    ...(error.cause instanceof Error && depth < DEPTH_MAX
      ? { cause: describeError(error.cause, withStack, depth + 1) }
      : {}),
    ...(error instanceof AggregateError && depth < DEPTH_MAX
      ? { errors: causesOf(error).map((one) => describeError(one, withStack, depth + 1)) }
      : {}),
  };
}

function causesOf({ errors }: AggregateError): Error[] {
  return errors.filter((one) => one instanceof Error).slice(0, CAUSES_MAX);
}
