import { createRequire } from 'node:module';

/** Of this build, for workers' version check and the reference. */
export const version = (createRequire(import.meta.url)('../package.json') as { version: string }).version;
