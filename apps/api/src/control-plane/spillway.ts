import type { Actor } from './context.ts';

/** The system itself, where it acts without being asked. */
export const spillway: Actor = { name: 'spillway', role: 'admin', address: null, origin: 'system' };
