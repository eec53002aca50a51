/**
 * What an entry of the audit says has changed, field by field and in words. The values are JSON of any shape: names tell what they are,
 * since each ends in its unit.
 */
import { formatBytes, formatCount, formatMs, formatRate, formatRatio } from '../../../lib/format.ts';
import { formatInstant, formatWindow } from '../../../lib/instant.ts';

interface FieldChange {
  /** Where it stands, dots between the names: unique within an entry. */
  readonly path: string;
  readonly label: string;
  /** Null: it was not there. */
  readonly before: string | null;
  /** Null: it is not there any more. */
  readonly after: string | null;
}

type Leaves = ReadonlyMap<string, string>;

/** What stayed as it was is left out; of what was made or removed, what says nothing (null, an empty list) is. */
export function changesOf(before: unknown, after: unknown): FieldChange[] {
  const [was, is] = [leavesOf(before), leavesOf(after)];
  const whole = before === null || after === null;
  return [...new Set([...is.keys(), ...was.keys()])].flatMap((path) => {
    const change = { path, label: labelOf(path), before: was.get(path) ?? null, after: is.get(path) ?? null };
    if (change.before === change.after) return [];
    if (whole && (change.before ?? change.after) === none) return [];
    return [change];
  });
}

/** "Rate 300 events/s → 150 events/s", at most two of them; null where nothing was there before. */
export function summaryOf(before: unknown, after: unknown): string | null {
  if (before === null || after === null) return null;
  const changes = changesOf(before, after);
  if (changes.length === 0) return null;
  const said = changes.slice(0, 2).map((change) => {
    return `${change.label}: ${change.before ?? none} → ${change.after ?? none}`;
  });
  return `${said.join(', ')}${changes.length > 2 ? ` and ${changes.length - 2} more` : ''}`;
}

/** What the thing was called when it was made, changed or removed: an id says little. Null: it has no name. */
export function nameOf(before: unknown, after: unknown): string | null {
  for (const value of [before, after]) {
    if (value === null || typeof value !== 'object') continue;
    const { title, name } = value as { title?: unknown; name?: unknown };
    for (const text of [title, name]) if (typeof text === 'string' && text !== '') return text;
  }
  return null;
}

const none = 'none';

function leavesOf(value: unknown): Leaves {
  const leaves = new Map<string, string>();
  const walk = (inner: unknown, path: readonly string[]) => {
    const text = leafText(inner, path);
    if (text !== null) leaves.set(path.join('.'), text);
    else for (const [name, one] of Object.entries(inner as object)) walk(one, [...path, name]);
  };
  if (value !== null && value !== undefined) walk(value, []);
  return leaves;
}

/** Null: it has parts of its own. */
function leafText(value: unknown, path: readonly string[]): string | null {
  if (value === null || value === undefined) return none;
  if (typeof value !== 'object') return plainText(value, measuredBy(path));
  if (isMoney(value)) return `${value.amount} ${value.currency}`;
  if (isWindow(value)) return formatWindow(value);
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
    return value.length === 0 ? none : value.map((one) => plainText(one, '')).join(', ');
  return Object.keys(value).length === 0 ? none : null;
}

/** The name that says the unit: of a target, that is the signal's. */
function measuredBy(path: readonly string[]): string {
  const name = path.at(-1) ?? '';
  return name === 'target' ? (path.at(-2) ?? name) : name;
}

function plainText(value: unknown, name: string): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'number') return numberText(value, name);
  const text = String(value);
  if (/^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text)) return `${formatInstant(text)} UTC`;
  return text === '' ? none : text;
}

function numberText(value: number, name: string): string {
  if (/eventsPerSecond(Limit)?$/i.test(name)) return formatRate(value);
  if (/Ms(P\d+)?$/.test(name)) return formatMs(value);
  if (/Bytes$/.test(name)) return formatBytes(value);
  if (/^(headroom|share|replayShare|replayFloor)$/.test(name)) return formatRatio(value);
  return Number.isInteger(value) ? formatCount(value) : String(value);
}

function isMoney(value: object): value is { amount: string; currency: string } {
  return 'amount' in value && 'currency' in value && Object.keys(value).length === 2;
}

function isWindow(value: object): value is { from: string; to: string } {
  const { from, to } = value as { from?: unknown; to?: unknown };
  return typeof from === 'string' && typeof to === 'string' && Object.keys(value).length === 2;
}

const labels: ReadonlyMap<string, string> = new Map([
  ['', 'Value'],
  ['eventsPerSecond', 'Rate'],
  ['url', 'Address'],
]);

/** "signals.storeCommitMsP99" → "Signals, store commit p99": the unit stands with the value. */
function labelOf(path: string): string {
  const label = path.split('.').map(nameWords).join(', ');
  return label.charAt(0).toUpperCase() + label.slice(1);
}

function nameWords(name: string): string {
  const known = labels.get(name);
  if (known !== undefined) return known;
  if (/^\d+$/.test(name)) return `no. ${Number(name) + 1}`;
  return name
    .replace(/(?<=.)(EventsPerSecond|Ms|Bytes)(?=P\d+$|$)/, '')
    .replace(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase();
}
