/**
 * What a broker or a connection says, in the port's words, once. None of the client's own errors leaves this adapter, not even as a
 * `cause`: they carry requests and answers.
 */
import { StreamError } from '../../data-plane/ports.ts';
import type { KafkaAddress } from '../../kafka-address.ts';

interface Meaning {
  readonly says: RegExp;
  readonly code: StreamError['code'];
  readonly detail: string;
  /** Where the URL asks for TLS. */
  readonly detailOverTls?: string;
  /** Though it is unavailable, the same request will not be taken later either. */
  readonly final?: true;
}

/** The first that fits. Kafka's own words follow the detail. */
const MEANINGS: readonly Meaning[] = [
  {
    says: /SASL_AUTHENTICATION_FAILED|AuthenticationFailed/i,
    code: 'stream_denied',
    detail: 'refuses the user or the password',
  },
  {
    says: /UNSUPPORTED_SASL_MECHANISM|ILLEGAL_SASL_STATE|suitable SASL mechanism/,
    code: 'stream_denied',
    detail: 'does not take this SASL mechanism; the URL names one with ?mechanism=',
  },
  {
    says: /_AUTHORIZATION_FAILED/,
    code: 'stream_denied',
    detail: 'does not let this user do what a stream needs',
  },
  {
    says: /OFFSET_OUT_OF_RANGE/,
    code: 'gap',
    detail: 'does not hold the entry that was asked for: its retention removed it, or it never was',
  },
  {
    says: /OUT_OF_ORDER_SEQUENCE|UNKNOWN_PRODUCER_ID|INVALID_PRODUCER_EPOCH|DUPLICATE_SEQUENCE|PRODUCER_FENCED/,
    code: 'stream_unavailable',
    detail: 'has lost count of this producer, so that it is not known whether the append has been done',
    final: true,
  },
  {
    says: /MESSAGE_TOO_LARGE|RECORD_LIST_TOO_LARGE/,
    code: 'stream_refused',
    detail: 'does not take an append of this size: raise max.message.bytes of the topic',
  },
  {
    says: /OFFSET_METADATA_TOO_LARGE/,
    code: 'stream_refused',
    detail: "does not take a producer's state of this size: raise offset.metadata.max.bytes",
  },
  {
    says: /UNKNOWN_MEMBER_ID|ILLEGAL_GENERATION|REBALANCE_IN_PROGRESS|FENCED_INSTANCE_ID/,
    code: 'stream_refused',
    detail: "has members of another program in one of Spillway's consumer groups",
  },
  {
    says: /INVALID_REPLICATION_FACTOR|INVALID_PARTITIONS|POLICY_VIOLATION|INVALID_CONFIG/,
    code: 'stream_refused',
    detail: 'does not let the topic be made as a stream needs it',
  },
  {
    says: /UNSUPPORTED_VERSION|UNSUPPORTED_FOR_MESSAGE_FORMAT|INVALID_REQUEST/,
    code: 'stream_refused',
    detail: 'cannot do what a stream needs',
  },
  {
    says: /UNKNOWN_TOPIC_OR_PARTITION/,
    code: 'stream_unavailable',
    detail: 'does not hold the topic (any more)',
  },
  { says: /INVALID_TOPIC/, code: 'stream_refused', detail: 'does not take the name of the topic' },
  {
    says: /NOT_ENOUGH_REPLICAS/,
    code: 'stream_unavailable',
    detail: 'has fewer copies of the topic than min.insync.replicas asks for',
  },
  { says: /KAFKA_STORAGE_ERROR/, code: 'stream_unavailable', detail: 'cannot write to its disk' },
  {
    says: /LEADER|COORDINATOR|REPLICA_NOT_AVAILABLE|OFFSET_NOT_AVAILABLE|BROKER_NOT_AVAILABLE|REBOOTSTRAP/,
    code: 'stream_unavailable',
    detail: 'is electing who is in charge of the topic or the group',
  },
  { says: /ECONNREFUSED/, code: 'stream_unavailable', detail: 'cannot be reached: nothing listens there' },
  { says: /ENOTFOUND|EAI_AGAIN/, code: 'stream_unavailable', detail: 'cannot be reached: unknown host' },
  {
    says: /Broker requires TLS/,
    code: 'stream_refused',
    detail: 'wants TLS: the URL must begin with kafkas://',
  },
  {
    // It answers in plain text, or hangs up when it is greeted in TLS.
    says: /wrong version number|before secure TLS/,
    code: 'stream_unavailable',
    detail: 'speaks no TLS there (then the URL begins with kafka://)',
  },
  {
    says: /certificate|self.signed|TLS|SSL/i,
    code: 'stream_unavailable',
    detail: 'and we did not agree on TLS; an authority of your own is named by NODE_EXTRA_CA_CERTS',
  },
  {
    says: /waiting for ready/,
    code: 'stream_unavailable',
    detail: 'closed the connection at once: it wants TLS or a user, or neither of them, or is no Kafka',
  },
  {
    says: /ECONNRESET|EPIPE|Connection closed/,
    code: 'stream_unavailable',
    detail: 'ended the connection; if it always does, it wants TLS (then the URL begins with kafkas://)',
    detailOverTls:
      'ended the connection; if it always does, it speaks no TLS there (then the URL begins with kafka://)',
  },
  {
    says: /timed? ?out|TIMEDOUT|EHOSTUNREACH|ENETUNREACH/i,
    code: 'stream_unavailable',
    detail: 'does not answer in time',
  },
];

export interface Failure {
  readonly error: Error;
  /** It may be asked again. */
  readonly mayPass: boolean;
  /** What was asked has been answered, so the connection is as good as before. */
  readonly answered: boolean;
}

/** A {@link StreamError} stays what it is; so does what the caller did wrong. */
export function failureOf(error: unknown, address: KafkaAddress): Failure {
  if (error instanceof StreamError || error instanceof RangeError)
    return { error, mayPass: isUnavailable(error), answered: true };
  const said = redacted([...wordsOf(error)].join('; '), address);
  const meaning = MEANINGS.find(({ says }) => says.test(said));
  const code = meaning?.code ?? 'stream_unavailable';
  const detail =
    (address.tls ? meaning?.detailOverTls : undefined) ??
    meaning?.detail ??
    'cannot be reached: the connection was lost';
  return {
    error: new StreamError(code, `Kafka at ${address.shown} ${detail} (${said})`),
    mayPass: code === 'stream_unavailable' && meaning?.final !== true,
    answered: answersIn(error).length > 0,
  };
}

/** Of the protocol's errors in a broker's answer, their names. */
export function answersIn(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const { apiId, errors } = error as { apiId?: unknown; errors?: unknown };
  return [
    ...(typeof apiId === 'string' ? [apiId] : []),
    ...(Array.isArray(errors) ? errors.flatMap(answersIn) : []),
  ];
}

function isUnavailable(error: Error): boolean {
  return error instanceof StreamError && error.code === 'stream_unavailable';
}

/** The innermost words: the outer ones say only that something failed. */
function* wordsOf(error: unknown): Iterable<string> {
  if (!(error instanceof Error)) return yield String(error);
  const { apiId, serverErrorMessage, errors, cause } = error as {
    apiId?: string;
    serverErrorMessage?: string | null;
    errors?: unknown[];
    cause?: unknown;
  };
  if (typeof apiId === 'string') return yield serverErrorMessage ? `${apiId}: ${serverErrorMessage}` : apiId;
  if (cause instanceof Error) yield* wordsOf(cause);
  for (const one of errors ?? []) yield* wordsOf(one);
  if (!(cause instanceof Error) && (errors?.length ?? 0) === 0) yield error.message;
  else if (/SASL/.test(error.message)) yield error.message;
}

function redacted(words: string, { sasl }: KafkaAddress): string {
  if (sasl === null) return words;
  return words
    .replaceAll(sasl.password, '[redacted]')
    .replaceAll(encodeURIComponent(sasl.password), '[redacted]');
}
