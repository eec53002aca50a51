import { isReadable } from '@spillway/shared/api/readable';
import type {
  ClaimedLeases,
  CompleteLease,
  FailLease,
  Joined,
  JoinWorker,
  ReportStatistics,
  Tick,
  TickAnswer,
  WorkerPush,
} from '@spillway/shared/api/worker-protocol';
import { EventSourceParserStream } from 'eventsource-parser/stream';

/** The control plane as a worker sees it. */
export interface ControlClient {
  join(body: JoinWorker): Promise<Joined>;
  leave(workerId: string): Promise<void>;
  claim(workerId: string, max: number): Promise<ClaimedLeases>;
  tick(workerId: string, tick: Tick): Promise<TickAnswer>;
  complete(leaseId: string, body: CompleteLease): Promise<void>;
  fail(leaseId: string, body: FailLease): Promise<void>;
  reportStatistics(workerId: string, body: ReportStatistics): Promise<void>;
  /** Grants, stops and wake-ups, until the connection ends or the signal aborts. */
  pushes(workerId: string, signal: AbortSignal): AsyncIterable<WorkerPush>;
}

export interface ControlProblem {
  readonly code: string;
  readonly detail: string;
}

/**
 * `unreachable` may pass by itself; `stale` and `unknown_worker` never do: the lease is another's, or the worker has to join
 * again; `refused` is a mistake of ours.
 */
export class ControlError extends Error {
  readonly kind: 'unreachable' | 'stale' | 'unknown_worker' | 'refused';
  /** As the api said it; null: it said nothing. */
  readonly problem: ControlProblem | null;
  constructor(
    kind: ControlError['kind'],
    detail: string,
    { problem = null, ...options }: ErrorOptions & { readonly problem?: ControlProblem | null } = {},
  ) {
    super(detail, options);
    this.problem = problem;
    this.name = 'ControlError';
    this.kind = kind;
  }
}

const REQUEST_TIMEOUT_MS = 5_000;
/** Half a megabit a second: counts of a source may be megabytes, and cut off on a slow way they would be sent again for ever. */
const UPLOAD_BYTES_PER_MS = 64;
/** The api sends a heartbeat every second on a quiet connection; a silence this long is a dead peer. */
const SILENCE_MS = 5_000;

export function createControlClient(options: {
  readonly apiUrl: string;
  readonly token: string;
}): ControlClient {
  const authorization = `Bearer ${options.token}`;

  async function post<T>(path: string, body: unknown): Promise<T> {
    const sent = JSON.stringify(body, readable);
    const response = await request(path, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: sent,
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS + Math.ceil(sent.length / UPLOAD_BYTES_PER_MS)),
    });
    try {
      const text = await response.text();
      return (text === '' ? undefined : JSON.parse(text)) as T;
    } catch (cause) {
      // It died while it answered: whether it did what it was asked is as unknown as with no answer at all.
      throw new ControlError('unreachable', `${path}: the answer of the api broke off`, { cause });
    }
  }

  async function request(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(new URL(path, options.apiUrl), init);
    } catch (cause) {
      throw new ControlError('unreachable', `${path}: no answer from the api`, { cause });
    }
    if (response.ok) return response;
    const answer = await response.text().catch(() => '');
    const problem = problemIn(answer);
    const said = problem === null ? answer.slice(0, 500) : `${problem.code}: ${problem.detail}`;
    throw new ControlError(kindOf(response.status), `${path}: ${response.status} ${said}`, { problem });
  }

  return {
    join: (body) => post('/v1/workers', body),
    async leave(workerId) {
      await request(`/v1/workers/${workerId}`, {
        method: 'DELETE',
        headers: { authorization },
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    },
    claim: (workerId, max) => post(`/v1/workers/${workerId}/leases`, { max }),
    tick: (workerId, tick) => post(`/v1/workers/${workerId}/ticks`, tick),
    complete: (leaseId, body) => post(`/v1/leases/${leaseId}/complete`, body),
    fail: (leaseId, body) => post(`/v1/leases/${leaseId}/fail`, body),
    reportStatistics: (workerId, body) => post(`/v1/workers/${workerId}/statistics`, body),

    async *pushes(workerId, signal) {
      const silence = new AbortController();
      let timer = setTimeout(() => silence.abort(), SILENCE_MS);
      try {
        const response = await request(`/v1/workers/${workerId}/grants`, {
          headers: { authorization, accept: 'text/event-stream' },
          signal: AbortSignal.any([signal, silence.signal]),
        });
        if (response.body === null) return;
        const events = response.body
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream());
        for await (const event of events) {
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), SILENCE_MS);
          yield JSON.parse(event.data) as WorkerPush;
        }
      } catch (cause) {
        if (cause instanceof ControlError) throw cause;
        if (!signal.aborted)
          throw new ControlError('unreachable', 'the connection for grants ended', { cause });
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/**
 * A text that cannot be stored is refused by the api with everything beside it, and sent again it is refused again. What is told of others (a key, an
 * address, the words of an error) is told as it can be shown.
 */
function readable(_name: string, value: unknown): unknown {
  if (typeof value !== 'string' || isReadable(value)) return value;
  return value.replaceAll('\0', '\ufffd').toWellFormed();
}

/** Null: it is not an answer of the api, but of a proxy, say. */
function problemIn(answer: string): ControlProblem | null {
  try {
    const { code, detail } = JSON.parse(answer) as Partial<ControlProblem>;
    return code === undefined || detail === undefined ? null : { code, detail };
  } catch {
    return null;
  }
}

function kindOf(status: number): ControlError['kind'] {
  if (status === 409) return 'stale';
  if (status === 404) return 'unknown_worker';
  if (status >= 500 || status === 429 || status === 408) return 'unreachable';
  return 'refused';
}
