/**
 * Makes a new data directory and exits: `initialise.ts DIR`.
 *
 * A process of its own, because initialisation runs a second PGlite inside the first and leaves 530 MB resident where
 * a reopened one has 200. The directory appears by rename, so a kill half way leaves none, never half of one.
 */
import { existsSync, renameSync, rmSync } from 'node:fs';
import { PGlite } from '@electric-sql/pglite';

const [directory] = process.argv.slice(2);
if (directory === undefined) throw new Error('usage: initialise.ts DIR');
process.on('disconnect', () => process.exit(1));

const unfinished = `${directory}.unfinished`;
rmSync(unfinished, { recursive: true, force: true });
const database = await PGlite.create(unfinished);
await database.close();
if (!existsSync(directory)) renameSync(unfinished, directory);
process.exit(0);
