import { inArray } from 'drizzle-orm';
import { drills } from '../database/schema.ts';

/** It stalls the store, or what it has stalled is being worked off. */
export const isUnderWay = inArray(drills.state, ['stalling', 'recovering']);
