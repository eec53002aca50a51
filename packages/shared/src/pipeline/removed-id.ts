/**
 * A removed pipeline gives up its id, which another may have from then on, and goes by one that no pipeline can be given: `orders` by `orders~7`. By
 * that one its finished backfills and its past alerts are told from those of whoever comes after it.
 */

/** `revision`: of its removal. The next of the same name begins after it, so no two have the same. */
export function removedId(id: string, revision: number): string {
  return `${removedIdsBegin(id)}${revision}`;
}

export function removedIdsBegin(id: string): string {
  return `${id}~`;
}

/** Null: it has not been removed. */
export function nameOfRemoved(pipelineId: string): string | null {
  const end = pipelineId.indexOf('~');
  return end === -1 ? null : pipelineId.slice(0, end);
}
