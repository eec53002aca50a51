import type { ControlContext } from '../context.ts';
import { drills } from '../database/schema.ts';
import { isUnderWay } from './under-way.ts';

/** Before the first drill of this process: whatever is unfinished was an earlier process's, and its lock ended with it. */
export async function closeInterruptedDrills(ctx: Pick<ControlContext, 'database'>): Promise<void> {
  await ctx.database
    .update(drills)
    .set({
      state: 'failed',
      detail:
        'The api ended in the middle of the drill, and the store was released with it. Nobody watched further.',
    })
    .where(isUnderWay);
}
