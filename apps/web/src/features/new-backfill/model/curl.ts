import type { StartBackfill } from '@spillway/shared/api/backfill';

/** A command that starts the same backfill when pasted into a shell. The token is named, never written; without one the shell says so. */
export function curlText(origin: string, body: StartBackfill): string {
  return [
    `curl --fail-with-body -X POST ${shellQuote(`${origin}/v1/backfills`)}`,
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's, not ours.
    '  -H "Authorization: Bearer ${SPILLWAY_ADMIN_TOKEN:?set it to an API token}"',
    "  -H 'Content-Type: application/json'",
    `  --data ${shellQuote(JSON.stringify(body))}`,
  ].join(' \\\n');
}

/** POSIX: inside single quotes only the single quote itself needs care. */
export function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
