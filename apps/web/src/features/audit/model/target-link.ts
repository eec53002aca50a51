/** Which screen shows what an entry is about; null: none does, or it is gone. */
type TargetPlace =
  | { readonly screen: 'backfill'; readonly id: string }
  | { readonly screen: 'pipeline'; readonly id: string | null }
  | { readonly screen: 'settings' };

export function placeOf(action: string, target: string): TargetPlace | null {
  const kind = action.split('.', 1)[0];
  if (kind === 'backfill' || target.startsWith('bf_')) return { screen: 'backfill', id: target };
  if (action === 'pipeline.remove') return null;
  if (kind === 'pipeline') return { screen: 'pipeline', id: target };
  if (kind === 'source' || kind === 'probe') return { screen: 'pipeline', id: null };
  if (kind === 'token' || kind === 'webhook') return { screen: 'settings' };
  return null;
}
