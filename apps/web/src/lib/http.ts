import type { Problem } from '@spillway/shared/api/problem';

/** A refusal of the server (RFC 9457), or the server not being reachable at all (`status` 0). */
export class ProblemError extends Error {
  readonly status: number;
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail || problem.title);
    this.name = 'ProblemError';
    this.status = problem.status;
    this.problem = problem;
  }
}

/** Of the signed-in session; the server refuses cookie mutations without it. Held in memory only. */
let csrfToken: string | null = null;
export function rememberCsrfToken(token: string | null): void {
  csrfToken = token;
}

interface RequestOptions {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const method = options.method ?? 'GET';
  const headers: Record<string, string> = {
    accept: 'application/json, application/problem+json',
    ...options.headers,
  };
  if (options.body !== undefined) headers['content-type'] = 'application/json';
  if (method !== 'GET' && csrfToken !== null) headers['x-spillway-csrf'] = csrfToken;

  let response: Response;
  try {
    response = await fetch(path, {
      method,
      headers,
      credentials: 'same-origin',
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    });
  } catch (cause) {
    if (options.signal?.aborted) throw cause;
    throw new ProblemError(unreachable());
  }
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new ProblemError(asProblem(response, body));
  return body as T;
}

/** `?a=1&b=2`, leaving out what is not set. */
export function query(
  parameters: Readonly<Record<string, string | number | readonly string[] | undefined>>,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    for (const one of [value ?? []].flat()) search.append(name, String(one));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

function asProblem(response: Response, body: unknown): Problem {
  const given = (typeof body === 'object' && body !== null ? body : {}) as Partial<Problem>;
  return {
    ...given,
    type: given.type ?? 'about:blank',
    title: given.title ?? `HTTP ${response.status}`,
    status: response.status,
    detail: given.detail ?? given.title ?? `The server answered with status ${response.status}.`,
    code: given.code ?? 'internal_error',
    errors: given.errors ?? [],
    requestId: given.requestId ?? response.headers.get('x-request-id') ?? 'unknown',
  };
}

function unreachable(): Problem {
  return {
    type: 'about:blank',
    title: 'Spillway cannot be reached',
    status: 0,
    detail: 'The server does not answer. It may be restarting, or the network is down.',
    code: 'unreachable',
    errors: [],
    requestId: 'none: the request did not arrive',
  };
}
