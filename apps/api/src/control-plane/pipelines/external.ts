/** A stream of the user's own: as it is shown, and what a schema cannot say about it. Pure. */
import { defaultEnvelope, type ExternalDefinition } from '@spillway/shared/api/external';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import type { ProblemCode } from '@spillway/shared/api/problem';
import { redactText } from '../access/redaction.ts';
import { canonicalJson } from '../audit/canonical-json.ts';
import { shownUrl } from '../outbound/shown-url.ts';
import { ProblemError } from '../problem-error.ts';

/** Without credentials, and with what was left out filled in. */
export function shownExternal({
  url,
  stream,
  groups,
  entryField = 'event',
  envelope = {},
  accepts = [],
}: ExternalDefinition): NonNullable<Pipeline['external']> {
  return {
    url: shownUrl(url),
    stream,
    groups,
    entryField,
    envelope: { ...defaultEnvelope, ...envelope },
    accepts,
  };
}

/** Whether both are the same place, read by the same groups in the same form: then positions in it stay what they are. */
export function isSamePlace(a: ExternalDefinition, b: ExternalDefinition): boolean {
  const placeOf = (definition: ExternalDefinition) => {
    const { accepts: _, ...place } = shownExternal(definition);
    return canonicalJson(place);
  };
  return placeOf(a) === placeOf(b);
}

/** What was found wrong with it, by the code of the stream's own error. */
export interface ExternalComplaint {
  readonly code: string;
  readonly detail: string;
}

const problems: Readonly<Record<string, readonly [ProblemCode, pointer: string]>> = {
  invalid: ['invalid_pipeline', '/external/url'],
  stream_unavailable: ['stream_unreachable', '/external/url'],
  stream_denied: ['stream_denied', '/external/url'],
  stream_full: ['invalid_pipeline', '/external/url'],
  unfit: ['invalid_pipeline', '/external/url'],
  stream_refused: ['stream_refused', '/external/accepts'],
  stream_missing: ['stream_missing', '/external/stream'],
  stream_corrupt: ['invalid_pipeline', '/external/stream'],
  group_missing: ['group_missing', '/external/groups'],
};

export function problemOf({ code, detail }: ExternalComplaint): ProblemError {
  const [problem, pointer] = problems[code] ?? ['invalid_pipeline', '/external'];
  const sentence = code === 'invalid' ? `The url ${detail}` : sentenceOf(detail);
  return new ProblemError(problem, redactText(sentence), { pointer });
}

function sentenceOf(detail: string): string {
  return `${detail.charAt(0).toUpperCase()}${detail.slice(1)}${/[.!?]$/.test(detail) ? '' : '.'}`;
}
