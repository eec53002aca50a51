/** Builds the web app in the given directory: `web-build-process.ts apps/web`. Leaves with its parent. */
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [web] = process.argv.slice(2);
if (web === undefined) throw new Error('usage: web-build-process.ts DIR');
process.on('disconnect', () => process.exit(1));

// Vite is the web app's own dependency, so it is looked up from there.
const vite = await import(pathToFileURL(createRequire(join(web, 'package.json')).resolve('vite')).href);
await vite.build({ root: web, logLevel: 'warn' });
process.exit(0);
