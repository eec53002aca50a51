import { CALENDAR_FROM_MS, CALENDAR_TO_MS } from '@spillway/shared/time/calendar';
import { ProblemError } from '../problem-error.ts';

type Kinds = readonly ('string' | 'number')[];
type Values<K extends Kinds> = { -readonly [I in keyof K]: K[I] extends 'string' ? string : number };

/** Opaque to the caller: where the next page begins. */
export function encodeCursor(values: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

/** Errors: `invalid_cursor` for anything this list did not give out. */
export function decodeCursor<const K extends Kinds>(cursor: string, kinds: K): Values<K> {
  const values = parse(cursor);
  const fits =
    Array.isArray(values) &&
    values.length === kinds.length &&
    kinds.every((kind, i) => typeof values[i] === kind && acceptable(values[i]));
  if (!fits)
    throw new ProblemError('invalid_cursor', 'The cursor is not one this list gave out', {
      pointer: 'cursor',
    });
  return values as Values<K>;
}

/** Ordinals and instants: what is an instant must be one that a database knows, and no ordinal is larger. */
function acceptable(value: unknown): boolean {
  return typeof value === 'number'
    ? Number.isSafeInteger(value) && value >= CALENDAR_FROM_MS && value <= CALENDAR_TO_MS
    : !String(value).includes('\0');
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return null;
  }
}
