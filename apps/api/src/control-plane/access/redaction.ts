/**
 * What must never be written down: not in a log line, not in an error, not in the audit. Fields are known by their names, connection
 * strings by their form.
 */
const secretField =
  /^(authorization|cookie|set-?cookie|password|passwd|secret|client_?secret|api_?key|access_?key(_?id)?|secret_?access_?key|session_?token|private_?key|token|admin_?token|worker_?token|csrf_?token|code|sign_?in_?code|connection_?string|x-spillway-csrf)$/i;
const removed = '[redacted]';

/** `code` is a secret in a sign-in and a plain word in a failure: only a long one is hidden. */
function hides(field: string, value: unknown): boolean {
  if (value === null || value === undefined || typeof value === 'boolean' || typeof value === 'number')
    return false;
  if (/^code$/i.test(field))
    return (
      typeof value === 'string' && /^[A-Za-z0-9_-]{20,}$/.test(value) && !/^[a-z]+(_[a-z]+)*$/.test(value)
    );
  return secretField.test(field);
}

const urlPassword = /\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@"']*:)([^\s/?#"']*)@/gi;
const querySecret = /([?&#](?:code|token|password|secret|api_?key|access_?token)=)[^&\s"'#]+/gi;
/** Tokens of ours, and the secrets that webhooks are signed with, wherever they turn up. */
const ours = /\b(spw_|whsec_)[A-Za-z0-9_+/=-]{16,}/g;
const bearer = /\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi;

/** A text without passwords of URLs, bearer tokens and secrets in queries or fragments. */
export function redactText(text: string): string {
  return text
    .replace(urlPassword, `$1$2${removed}@`)
    .replace(querySecret, `$1${removed}`)
    .replace(bearer, `$1${removed}`)
    .replace(ours, `$1${removed}`);
}

/** A copy of a JSON value without secrets. Depth is bounded: what lies deeper than 12 levels is left out. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (value === null || typeof value !== 'object') return value;
  if (depth > 12) return '[too deep]';
  if (Array.isArray(value)) return value.map((inner) => redact(inner, depth + 1));
  if (value instanceof Date) return value.toISOString();
  return Object.fromEntries(
    Object.entries(value).map(([field, inner]) => [
      field,
      hides(field, inner) ? removed : redact(inner, depth + 1),
    ]),
  );
}
