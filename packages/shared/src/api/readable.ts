/** NUL and half a surrogate pair are JSON, but no text that a database takes: the api refuses them, and whoever reports to it leaves them out. */
export function isReadable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}
