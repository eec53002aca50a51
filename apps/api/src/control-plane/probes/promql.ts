import { ProbeFailure } from './failure.ts';
import { getJson } from './get-json.ts';

/** The one sample of an instant query. Errors: {@link ProbeFailure}, or whatever the network says. */
export async function readPromQl(
  { url, query }: { readonly url: string; readonly query: string },
  signal: AbortSignal,
): Promise<number> {
  const { status, document } = await getJson(queryUrl(url, query), signal);
  const { data, errorType } = fieldsOf(document);
  if (status !== 200) {
    const why = typeof errorType === 'string' && /^[a-z_]{1,32}$/.test(errorType) ? ` (${errorType})` : '';
    throw new ProbeFailure(`Prometheus answered with status ${status}${why}, not 200`);
  }
  const { resultType, result } = fieldsOf(data);
  if (resultType === 'scalar') return numberOf(result);
  if (resultType !== 'vector' || !Array.isArray(result))
    throw new ProbeFailure('the answer is not that of an instant query with a vector or a scalar');
  if (result.length !== 1)
    throw new ProbeFailure(
      result.length === 0 ? 'the query has no sample' : `the query has ${result.length} samples, not one`,
    );
  return numberOf(fieldsOf(result[0])['value']);
}

function queryUrl(base: string, query: string): URL {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/api/v1/query`;
  url.searchParams.set('query', query);
  return url;
}

/** A sample is `[seconds, "number"]`; the text may also be NaN, +Inf or -Inf. */
function numberOf(sample: unknown): number {
  const text = Array.isArray(sample) ? sample[1] : undefined;
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN;
  if (!Number.isFinite(value)) throw new ProbeFailure('the sample is not a finite number');
  return value;
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : {};
}
