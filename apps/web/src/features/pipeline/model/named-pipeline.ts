/** Which pipeline an address names: the router reads `?pipeline=2001` as a number. Nothing: it names none. */
export function namedPipeline({ pipeline }: Readonly<Record<string, unknown>>): {
  readonly pipeline?: string;
} {
  const named = typeof pipeline === 'string' || typeof pipeline === 'number' ? String(pipeline) : '';
  return named === '' ? {} : { pipeline: named };
}
