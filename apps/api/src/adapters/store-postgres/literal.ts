/**
 * Values as PostgreSQL writes them, and as literals in a statement's text.
 *
 * Where no statement is prepared (calls.ts) the store speaks the simple query protocol: one message is one transaction and one turn at an
 * embedded engine. What a value may hold is decided here, once.
 */
import pg from 'pg';

/** Errors: RangeError for text that PostgreSQL cannot hold (NUL). Callers keep such events out (storable.ts). */
export function textValue(value: string): string {
  if (value.includes('\0')) throw new RangeError('a text with NUL cannot be stored');
  return value;
}

export function integerValue(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  return String(value);
}

export function integerArray(values: readonly (number | bigint)[]): string {
  return `{${values.join(',')}}`;
}

/** Ids and keys nearly always look like this; then nothing has to be quoted, and the server has less to read. */
const PLAIN = /^[\w#@.:/+\-\n]*$/;
const NULL_WORD = /^null$/im;
const EMPTY_ELEMENT = /^$/m;

export function textArray(values: readonly string[]): string {
  const lines = values.join('\n');
  if (
    PLAIN.test(lines) &&
    !NULL_WORD.test(lines) &&
    !EMPTY_ELEMENT.test(lines) &&
    !hasLineBreak(lines, values.length)
  )
    return `{${lines.replaceAll('\n', ',')}}`;
  return textValue(`{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`);
}

/** Of a value whose type the place decides. */
export function literal(value: string | null): string {
  if (value === null) return 'null';
  return /['\\]/.test(value) ? pg.escapeLiteral(value) : `'${value}'`;
}

export function text(value: string): string {
  return literal(textValue(value));
}

export function integer(value: number): string {
  return `'${integerValue(value)}'::bigint`;
}

export function texts(values: readonly string[]): string {
  return literal(textArray(values));
}

function hasLineBreak(lines: string, elements: number): boolean {
  let breaks = 0;
  for (let at = lines.indexOf('\n'); at >= 0; at = lines.indexOf('\n', at + 1)) breaks += 1;
  return breaks !== Math.max(0, elements - 1);
}
