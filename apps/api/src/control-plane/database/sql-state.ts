/** PostgreSQL's code of a failure, or the network's; '' where there is none. drizzle wraps the driver's error. */
export function sqlStateOf(error: unknown): string {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
  return typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : '';
}
