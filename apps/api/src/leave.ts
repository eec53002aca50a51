/** Ends of a start that are said in a sentence instead of a stack, each with its exit code. For the entry points alone. */
import { DatabaseUnreachableError } from './check-databases.ts';
import { SettingsError } from './config.ts';
import { ApiInUseError } from './control-plane/api-lease/holder.ts';
import { MisplacedError } from './data-plane/control/membership.ts';
import { EXIT_IN_USE, EXIT_UNREACHABLE, EXIT_WRONG_SETTINGS } from './exit-codes.ts';
import { AddressInUseError, AddressMissingError } from './listen-address.ts';
import { DataDirInUseError } from './supervise/data-dir-lock.ts';

const inUse = [DataDirInUseError, ApiInUseError, AddressInUseError];
/** By itself, or since it is mended elsewhere: of two places that differ it may be the other one that is wrong. */
const mayPass = [DatabaseUnreachableError, MisplacedError, AddressMissingError];

/** Rethrows what is a fault of ours. */
export function leaveInWords(error: unknown): never {
  const code = exitCodeOf(error);
  if (code === null) throw error;
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(code);
}

/** What the process is to be, or its end. */
export function orLeaveInWords<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    leaveInWords(error);
  }
}

function exitCodeOf(error: unknown): number | null {
  if (error instanceof SettingsError || isOfArguments(error)) return EXIT_WRONG_SETTINGS;
  if (inUse.some((kind) => error instanceof kind)) return EXIT_IN_USE;
  return mayPass.some((kind) => error instanceof kind) ? EXIT_UNREACHABLE : null;
}

/** As Node's parser says what it does not know. */
function isOfArguments(error: unknown): boolean {
  return String((error as NodeJS.ErrnoException | null)?.code).startsWith('ERR_PARSE_ARGS_');
}
