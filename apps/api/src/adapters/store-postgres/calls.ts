/**
 * Calls of the store's functions with large arguments, as both kinds of database take them.
 *
 * A server prepares them: parsed once for each connection, by name, and then only the values travel. An embedded database gets one text, since
 * all its connections are one session, in which a name would be everybody's.
 */
import { literal } from './literal.ts';

export interface Call {
  /** With its schema. Its arguments decide the types, so the values need none. */
  readonly routine: string;
  /** As PostgreSQL writes them. */
  readonly values: readonly (string | null)[];
}

export function asText({ routine, values }: Call): string {
  return `select * from ${routine}(${values.map(literal).join(',')})`;
}

export function asPrepared({ routine, values }: Call): {
  name: string;
  text: string;
  values: (string | null)[];
} {
  const places = values.map((_, index) => `$${index + 1}`).join(',');
  return { name: routine, text: `select * from ${routine}(${places})`, values: [...values] };
}
