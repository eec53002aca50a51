const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
/** PostgreSQL: shutting down, crashed, starting, too many connections, not (or no more) the primary, and class 08 (connection exceptions). */
const postgresCodes = /^(57P0[1-5]|53300|25006|08\d{3})$/;
const driverMessages =
  /connection terminated|client has encountered a connection error|timeout exceeded when trying to connect|connection timeout|cannot use a pool after calling end/i;

/** Whether something failed because a database was not there, which passes by itself. Looks through wrapped errors. */
export function isUnreachable(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 5) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (networkCodes.has(code) || postgresCodes.test(code) || code === 'store_unavailable') return true;
  // No socket file: an embedded database that is not up yet.
  if (code === 'ENOENT' && 'syscall' in error && error.syscall === 'connect') return true;
  if (driverMessages.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.some((inner) => isUnreachable(inner, depth + 1));
  return isUnreachable(error.cause, depth + 1);
}
