import { type Static, Type } from 'typebox';
import { strict } from './primitives.ts';

/** Every code the API can answer with, its HTTP status and its title. The reference lists this table. */
export const problemCodes = {
  invalid_request: [400, 'The request does not fit the schema'],
  malformed_json: [400, 'The body is not JSON'],
  invalid_cursor: [400, 'The cursor is not one this list gave out'],
  unauthenticated: [401, 'Sign in or send a token'],
  invalid_sign_in_code: [401, 'The sign-in code is unknown, used or expired'],
  forbidden: [403, 'Your role may not do this'],
  csrf_rejected: [403, 'The request did not come from the control room'],
  host_rejected: [403, 'This host name is not served here'],
  not_found: [404, 'There is no such resource'],
  unknown_pipeline: [404, 'There is no such pipeline'],
  unknown_source: [404, 'There is no such source'],
  unknown_backfill: [404, 'There is no such backfill'],
  unknown_quote: [404, 'There is no such quote'],
  moment_not_recorded: [404, 'Nothing was recorded of this moment'],
  drill_running: [409, 'A drill is under way'],
  backfills_unfinished: [409, 'Backfills of the pipeline are not finished'],
  pipeline_exists: [409, 'There is a pipeline of this id already'],
  pipeline_external: [409, 'The store of this pipeline is not ours'],
  source_exists: [409, 'There is a source of this id already'],
  source_in_use: [409, 'Backfills that are not finished use the source'],
  source_built_in: [409, 'The source is part of the installation'],
  source_state: [409, 'The source is not in a state for this'],
  illegal_transition: [409, 'The state does not allow this'],
  several_failed: [409, 'Other subwindows of the backfill have failed, too'],
  stale_fencing_token: [409, 'A newer lease has been granted'],
  currency_in_use: [409, 'Money has been metered in another currency'],
  quote_drifted: [409, 'What the quote rested on has changed'],
  quote_expired: [409, 'The quote has expired'],
  stale_revision: [412, 'Someone changed it since you read it'],
  payload_too_large: [413, 'The body is too large'],
  unsupported_media_type: [415, 'Send application/json'],
  invalid_window: [422, 'The window ends before it begins'],
  window_outside_source: [422, 'The window does not touch what the source holds'],
  gap: [422, 'Retention has removed what the window asks for'],
  moment_in_future: [422, 'The moment has not come yet'],
  invalid_probe: [422, 'The probe cannot be used as it is'],
  invalid_pipeline: [422, 'The pipeline cannot be used as it is'],
  stream_unreachable: [422, 'The server of the stream does not answer'],
  stream_denied: [422, 'The server of the stream lets nobody in with these credentials'],
  stream_refused: [422, 'The server of the stream may lose what is published'],
  stream_missing: [422, 'There is no such stream on the server'],
  group_missing: [422, 'The stream has no such consumer group'],
  invalid_source: [422, 'The source cannot be used as it is'],
  invalid_webhook: [422, 'The webhook cannot be used as it is'],
  invalid_subwindow: [422, 'The subwindow does not fit the window'],
  too_many_subwindows: [422, 'The window has too many subwindows'],
  source_not_in_pipeline: [422, 'The source does not feed this pipeline'],
  invalid_goal: [422, 'The goal or the budget makes no sense'],
  quote_mismatch: [422, 'The quote is of another backfill'],
  mode_unavailable: [422, 'This mode is not available yet'],
  version_mismatch: [422, 'The worker is of another version'],
  store_mismatch: [422, 'The worker has another store'],
  stream_mismatch: [422, 'The worker has other streams'],
  idempotency_key_reused: [422, 'The key was used with another body'],
  precondition_required: [428, 'Send If-Match with the ETag you read'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'The headers are too large'],
  internal_error: [500, 'Something failed here'],
  unavailable: [503, 'A part this answer needs is not reachable'],
} as const satisfies Record<string, readonly [number, string]>;
export type ProblemCode = keyof typeof problemCodes;
/** Those that are about a quote: whoever asks for one and starts with it has to know each. */
export type QuoteProblemCode = Extract<ProblemCode, `quote_${string}` | `${string}_quote` | 'invalid_goal'>;

/** RFC 9457 problem document. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String({ description: 'stable, snake_case' }),
    errors: Type.Array(
      Type.Object(
        {
          pointer: Type.String({
            description: 'JSON pointer into the body, or the name of a header, path or query parameter',
          }),
          detail: Type.String(),
        },
        strict,
      ),
    ),
    requestId: Type.String(),
    /** `illegal_transition`: where it stands and what may be done. */
    state: Type.Optional(Type.String()),
    allowedActions: Type.Optional(Type.Array(Type.String())),
    /** `stale_revision`: the resource as it is now. */
    current: Type.Optional(Type.Unknown()),
  },
  strict,
);
export type Problem = Static<typeof Problem>;
