/** The databases that the settings name, before anything is started on them. For the entry points alone. */
import { migratedStore } from './adapters/store-postgres/migrate.ts';
import { type Settings, SettingsError } from './config.ts';
import { migratedControl } from './control-plane/database/steps.ts';
import { lookAtDatabase } from './database-check/look.ts';

/** Somebody waits for a start; a server that is started with us may take this long. */
const PATIENCE_MS = 5_000;

export class DatabaseUnreachableError extends Error {}

/**
 * Embedded ones are not looked at: they are made and started here.
 *
 * @throws SettingsError for each that cannot be used as it is; DatabaseUnreachableError when waiting may help
 */
export async function checkDatabases(
  { databaseUrl, storeUrl }: Pick<Settings, 'databaseUrl' | 'storeUrl'>,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  const [control, store] = [migratedControl(), migratedStore()];
  const looks = await Promise.all(
    (
      [
        ['SPILLWAY_DATABASE_URL', databaseUrl, control, store],
        ['SPILLWAY_STORE_URL', storeUrl, store, control],
      ] as const
    ).map(async ([setting, url, expected, other]) =>
      url === null ? [] : [{ setting, ...(await lookAtDatabase(url, expected, other, patienceMs)) }],
    ),
  );
  const looked = looks.flat();
  // One alone may be meant: both in one database, or a new control database beside an old store.
  if (looked.length === 2 && looked.every(({ isOther }) => isOther))
    throw new SettingsError([
      `SPILLWAY_DATABASE_URL and SPILLWAY_STORE_URL are the wrong way round: ${looked.map(({ name }) => name).join(' is a store, ')} a control database (database_foreign)`,
    ]);
  const refused = looked.flatMap(({ setting, name, refusal }) =>
    refusal === null
      ? []
      : [{ code: refusal.code, sentence: `${setting}: ${name} ${refusal.detail} (${refusal.code})` }],
  );
  const lasting = refused.filter(({ code }) => code !== 'database_unreachable');
  if (lasting.length > 0) throw new SettingsError(lasting.map(({ sentence }) => sentence));
  if (refused.length > 0)
    throw new DatabaseUnreachableError(refused.map(({ sentence }) => sentence).join('\n'));
}

/**
 * For a process that is started by itself, and goes on without a database that does not answer yet.
 *
 * @throws SettingsError for each that cannot be used as it is
 */
export async function checkReachedDatabases(
  settings: Pick<Settings, 'databaseUrl' | 'storeUrl'>,
  unreached: (sentence: string) => void,
): Promise<void> {
  try {
    await checkDatabases(settings, 0);
  } catch (error) {
    if (!(error instanceof DatabaseUnreachableError)) throw error;
    unreached(error.message);
  }
}
