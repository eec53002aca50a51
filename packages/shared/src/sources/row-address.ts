const inEnglish = new Intl.Collator('en', { numeric: true });

/** The order in which people count addresses of rows (`flights.jsonl line 9`, `orders[0]@120`): a number in them is a number. */
export function compareAddresses(a: string, b: string): number {
  return inEnglish.compare(a, b);
}
