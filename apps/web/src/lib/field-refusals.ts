import { ProblemError } from './http.ts';

/** What the server says of a form's fields: each of its pointers at the field it stands for, the others nowhere. */
export function fieldRefusals<Field extends string>(
  error: unknown,
  fields: Readonly<Record<string, Field>>,
): Partial<Record<Field, string>> {
  if (!(error instanceof ProblemError)) return {};
  return Object.fromEntries(
    error.problem.errors.flatMap(({ pointer, detail }) => {
      const field = fields[pointer];
      return field === undefined ? [] : [[field, detail]];
    }),
  ) as Partial<Record<Field, string>>;
}
