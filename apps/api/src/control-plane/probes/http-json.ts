import { ProbeFailure } from './failure.ts';
import { getJson } from './get-json.ts';
import { pointedAt } from './json-pointer.ts';

/** The number at `pointer` of the JSON at `url`. Errors: {@link ProbeFailure}, or whatever the network says. */
export async function readHttpJson(
  { url, pointer }: { readonly url: string; readonly pointer: string },
  signal: AbortSignal,
): Promise<number> {
  const { status, document } = await getJson(new URL(url), signal);
  if (status !== 200) throw new ProbeFailure(`the answer has status ${status}, not 200`);
  if (document === undefined) throw new ProbeFailure('the answer is not JSON');
  const value = pointedAt(document, pointer);
  if (value === undefined) throw new ProbeFailure('the pointer points at nothing in the answer');
  if (typeof value !== 'number')
    throw new ProbeFailure(`the pointer points at ${kindOf(value)}, not at a number`);
  if (!Number.isFinite(value)) throw new ProbeFailure('the number is not finite');
  return value;
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  return { string: 'text', boolean: 'a boolean', object: 'an object' }[typeof value as string] ?? 'something';
}
