/**
 * Values written into a statement's text.
 *
 * The store speaks the simple query protocol only: one message is one transaction and one turn at an embedded engine, with no
 * prepared statement that another connection of the same session could meet. What a literal may hold is decided here, once.
 */
import pg from 'pg';

/** Errors: RangeError for text that PostgreSQL cannot hold (NUL). Callers keep such events out (storable.ts). */
export function text(value: string): string {
  if (value.includes('\0')) throw new RangeError('a text with NUL cannot be stored');
  return pg.escapeLiteral(value);
}

export function integer(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError(`not a safe integer: ${value}`);
  return `'${value}'::bigint`;
}

export function json(value: unknown): string {
  return text(JSON.stringify(value));
}

export function integers(values: readonly (number | bigint)[]): string {
  return `'{${values.join(',')}}'`;
}

/** Ids and keys nearly always look like this; then nothing has to be quoted, and the server has less to read. */
const PLAIN = /^[\w#@.:/+\-\n]*$/;
const NULL_WORD = /^null$/im;
const EMPTY_ELEMENT = /^$/m;

export function texts(values: readonly string[]): string {
  const lines = values.join('\n');
  if (
    PLAIN.test(lines) &&
    !NULL_WORD.test(lines) &&
    !EMPTY_ELEMENT.test(lines) &&
    !hasLineBreak(lines, values.length)
  )
    return `'{${lines.replaceAll('\n', ',')}}'`;
  return text(`{${values.map((value) => `"${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`);
}

function hasLineBreak(lines: string, elements: number): boolean {
  let breaks = 0;
  for (let at = lines.indexOf('\n'); at >= 0; at = lines.indexOf('\n', at + 1)) breaks += 1;
  return breaks !== Math.max(0, elements - 1);
}
