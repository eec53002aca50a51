import type { Source } from '@spillway/shared/api/pipeline';

type Failure = Pick<NonNullable<Source['failure']>, 'code' | 'detail' | 'address'>;

/** By its code; what comes of each is in the operations guide. */
const advice: Readonly<Record<string, string>> = {
  source_missing: 'Put it back, for every machine with a replay worker, or give the source another history.',
  source_schema: 'Mend its columns, or which of them the source names.',
  source_corrupt: 'Replace the file.',
  source_denied:
    'Mend the password or the rights of its user; a file has to lie within SPILLWAY_SOURCE_DIRS.',
  source_unavailable: 'Look at its server, and at the way to it from the replay workers.',
  attempt_failed: 'Its counts were not taken: look at the api, and at what proxy is before it.',
};

/** What is wrong, with where, and what to do about it. */
export function failureWords({ code, detail, address }: Failure): {
  readonly what: string;
  readonly todo: string;
} {
  const own = advice[code] ?? 'The operations guide says what to do about its code.';
  return {
    what: `${detail.replace(/\.$/, '')}${address === null ? '' : ` at ${address}`}`,
    todo: `${own} It is tried again by itself, about every minute.`,
  };
}
