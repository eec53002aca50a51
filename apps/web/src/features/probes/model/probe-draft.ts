/** A probe as its form holds it; an empty field is null. */
import type { CreateProbe, FailMode } from '@spillway/shared/api/governor';

export type ProbeKind = CreateProbe['kind'];

export interface ProbeDraft {
  readonly title: string;
  readonly kind: ProbeKind;
  readonly url: string;
  /** SQL or PromQL. */
  readonly query: string;
  /** Of HTTP JSON. */
  readonly pointer: string;
  readonly target: number | null;
  readonly worseWhen: 'above' | 'below';
  readonly failMode: FailMode;
  readonly intervalSeconds: number | null;
  readonly timeoutSeconds: number | null;
}
export type ProbeProblems = Partial<Record<keyof ProbeDraft, string>>;

export const emptyProbe: ProbeDraft = {
  title: '',
  kind: 'http_json',
  url: '',
  query: '',
  pointer: '',
  target: null,
  worseWhen: 'above',
  failMode: 'bad',
  intervalSeconds: 10,
  timeoutSeconds: 2,
};

export const kindWords: Readonly<Record<ProbeKind, string>> = {
  http_json: 'HTTP JSON',
  promql: 'PromQL',
  sql: 'SQL',
};

/** What can be known to be wrong without asking the server. */
export function probeProblems(draft: ProbeDraft): ProbeProblems {
  const problems: Record<string, string> = {};
  if (draft.title.trim() === '') problems['title'] = 'A name, as the signals table shows it';
  const scheme = draft.kind === 'sql' ? /^postgres(ql)?:\/\/./ : /^https?:\/\/./;
  if (!scheme.test(draft.url.trim()))
    problems['url'] = draft.kind === 'sql' ? 'postgres://…' : 'http://… or https://…';
  if (draft.kind !== 'http_json' && draft.query.trim() === '')
    problems['query'] =
      draft.kind === 'sql' ? 'One statement with one number' : 'An instant query with one sample';
  if (draft.kind === 'http_json' && draft.pointer !== '' && !draft.pointer.startsWith('/'))
    problems['pointer'] = 'A JSON pointer begins with /';
  if (draft.target !== null && !(draft.target > 0)) problems['target'] = 'More than 0, or empty for none';
  const between = (name: 'intervalSeconds' | 'timeoutSeconds', low: number, high: number) => {
    const value = draft[name];
    if (value === null || !(value >= low && value <= high))
      problems[name] = `Between ${low} and ${high} seconds`;
  };
  between('intervalSeconds', 1, 3_600);
  between('timeoutSeconds', 0.1, 30);
  return problems;
}

export function probeBody(draft: ProbeDraft): CreateProbe {
  return {
    title: draft.title.trim(),
    kind: draft.kind,
    url: draft.url.trim(),
    ...(draft.kind === 'http_json' ? { pointer: draft.pointer } : { query: draft.query.trim() }),
    target: draft.target,
    worseWhen: draft.worseWhen,
    failMode: draft.failMode,
    intervalMs: Math.round((draft.intervalSeconds ?? 0) * 1_000),
    timeoutMs: Math.round((draft.timeoutSeconds ?? 0) * 1_000),
  };
}

/** The server's pointers, by the field they stand at. */
export const probePointers: Readonly<Record<string, keyof ProbeDraft>> = {
  '/title': 'title',
  '/kind': 'kind',
  '/url': 'url',
  '/query': 'query',
  '/pointer': 'pointer',
  '/target': 'target',
  '/intervalMs': 'intervalSeconds',
  '/timeoutMs': 'timeoutSeconds',
};
