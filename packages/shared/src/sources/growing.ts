/**
 * Histories that are written to all the time, rows or records at once: a table, a topic. There that something has changed says little, and is so of every
 * look; files and objects are whole, and one that has changed is another.
 */
export function isGrowing(connector: string): boolean {
  return connector === 'postgres' || connector === 'kafka';
}
