import { Environment, type SettingReader } from '../apps/api/src/environment.ts';

interface Setting {
  readonly default?: string | number;
  readonly unset?: string;
  readonly description?: string;
  readonly meaning: string;
  readonly readBy: readonly SettingReader[];
  readonly secret?: true;
}

const settings = Object.entries(Environment.properties) as unknown as readonly (readonly [string, Setting])[];

const introduction = `# Settings

Every setting is an environment variable. Those that are wrong are all named at once and end the start; an empty one counts as not set.
This file is made by \`pnpm settings\` from [environment.ts](../apps/api/src/environment.ts); a test fails when it is stale.

_Read by_: \`pnpm start\` hands on to the processes of its machine what is meant for them, so there each is set once. Where api and workers are started
by themselves ([operations.md](operations.md)), each is given those that it reads. A setting marked _secret_ may be
given as the path of a file instead, under its name and \`_FILE\` (\`SPILLWAY_ADMIN_TOKEN_FILE=/run/secrets/admin-token\`); it is printed redacted.
`;

/** docs/settings.md as it should be. */
export function settingsDocument(): string {
  return `${introduction}\n${table([
    ['setting', 'default', 'must be', 'what it is', 'read by'],
    ...settings.map(([name, setting]) => [
      setting.secret ? `\`${name}\` (secret)` : `\`${name}\``,
      setting.default === undefined ? (setting.unset ?? '') : `\`${setting.default}\``,
      setting.description ?? '',
      setting.meaning,
      setting.readBy.join(', '),
    ]),
  ])}`;
}

function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.slice(1).map(line)].join('');
}
