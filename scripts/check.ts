import { checkSteps } from './check-steps.ts';
import { runSteps } from './step.ts';

/** `pnpm check [name…]`: runs the checks whose names begin with the words given, all of them without any. */
const wanted = process.argv.slice(2);
const steps = checkSteps.filter(
  (step) => wanted.length === 0 || wanted.some((word) => step.name.startsWith(word)),
);
if (steps.length === 0) throw new Error(`No check is called ${wanted.join(', ')}.`);

const failed = await runSteps(steps);
if (failed.length > 0) console.error(`\nFailed: ${failed.join(', ')}`);
process.exit(failed.length === 0 ? 0 : 1);
