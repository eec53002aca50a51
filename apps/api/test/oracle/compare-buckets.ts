/** Every bucket the product answers with against the oracle's, both ways: one too many, one missing or one different number is found. */
import type { StartedSystem } from '../system/started-system.ts';
import type { FlightsOracle, OracleBucket } from './flights-oracle.ts';

const compared = ['count', 'sum', 'min', 'max', 'hash'] as const;

export async function compareWithOracle(
  system: Pick<StartedSystem, 'call'>,
  oracle: FlightsOracle,
  window: { readonly from: number; readonly to: number },
): Promise<{ checked: number; differing: string[] }> {
  const expected = new Map((await oracle.buckets(window)).map((bucket) => [nameOf(bucket), bucket]));
  const differing: string[] = [];
  let checked = 0;
  for await (const bucket of storedBuckets(system, window)) {
    const name = nameOf(bucket);
    const truth = expected.get(name);
    expected.delete(name);
    checked += 1;
    if (truth === undefined || compared.some((field) => truth[field] !== bucket[field])) differing.push(name);
  }
  return { checked, differing: [...differing, ...expected.keys()] };
}

async function* storedBuckets(
  system: Pick<StartedSystem, 'call'>,
  window: { readonly from: number; readonly to: number },
): AsyncGenerator<OracleBucket> {
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({
      from: new Date(window.from).toISOString(),
      to: new Date(window.to).toISOString(),
      limit: '200',
      ...(cursor === null ? {} : { cursor }),
    });
    const { status, body } = await system.call('GET', `/v1/pipelines/flights/buckets?${query}`);
    if (status !== 200) throw new Error(`buckets: ${status} ${JSON.stringify(body)}`);
    for (const item of body.items) yield { ...item, start: Date.parse(item.start) };
    cursor = body.nextCursor;
  } while (cursor !== null);
}

function nameOf({ sourceId, key, start }: Pick<OracleBucket, 'sourceId' | 'key' | 'start'>): string {
  return `${sourceId} ${key} ${new Date(start).toISOString()}`;
}
