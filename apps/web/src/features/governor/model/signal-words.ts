import type { Signal, SignalVerdict } from '@spillway/shared/api/governor';
import type { Tone } from '../../../components/badge.tsx';
import { formatBytes, formatCount, formatMs, formatRatio, known, unknown } from '../../../lib/format.ts';

/** A value of a signal in its unit, which ends the name of every measured one; a probe's unit is its owner's to know. */
export function formatSignal(name: string, value: number | null): string {
  if (!known(value)) return unknown;
  if (/Ms(P\d+)?$/.test(name)) return formatMs(value);
  if (name.startsWith('bytes') || /Bytes(PerSecond)?$/.test(name))
    return `${formatBytes(value)}${name.endsWith('PerSecond') ? '/s' : ''}`;
  if (name.endsWith('PerSecond')) return `${formatCount(value)} rows/s`;
  if (name.endsWith('Ratio')) return formatRatio(value);
  if (name === 'deadRows') return counted(value, 'row', 'rows');
  if (name === 'streamLength' || name.endsWith('Entries')) return counted(value, 'entry', 'entries');
  return plain.format(value);
}
function counted(value: number, one: string, many: string): string {
  return `${formatCount(value)} ${value === 1 ? one : many}`;
}
const plain = new Intl.NumberFormat('en-GB', { maximumSignificantDigits: 6 });

/**
 * What the signals table says of one: a value, "unknown", or, where the governor found it in target without one, that there was
 * nothing to measure: a store that owes no answer has no commit latency.
 */
export function signalValue({ name, value, verdict }: Signal): string {
  return value === null && verdict === 'ok' ? 'nothing to measure' : formatSignal(name, value);
}

/** What the numbers of a target field are in: the raw unit, since that is what is typed. */
export function unitOf(name: string): string {
  if (/Ms(P\d+)?$/.test(name)) return 'ms';
  if (/BytesPerSecond$/.test(name)) return 'bytes/s';
  if (name.endsWith('PerSecond')) return 'rows/s';
  if (name.endsWith('Ratio')) return '0 to 1';
  if (name === 'deadRows') return 'rows';
  if (name === 'streamLength' || name.endsWith('Entries')) return 'entries';
  return '';
}

/** A signal's title in the middle of a sentence: no comma, and its first word lowered unless it is a name ("WAL"). */
export function inSentence(title: string): string {
  const plain = title.replace(/, (?=p\d+$)/, ' ');
  return /^[A-Z][a-z]/.test(plain) ? plain.charAt(0).toLowerCase() + plain.slice(1) : plain;
}

export const verdictWords: Readonly<Record<SignalVerdict, string>> = {
  ok: 'In target',
  near: 'Near target',
  breached: 'Breached',
  unknown: 'Unknown',
  ungoverned: 'Not governing',
};

/** An unknown that counts as bad holds replay; one that is left out does not hurt. */
export function verdictTone({ verdict, failMode }: Pick<Signal, 'verdict' | 'failMode'>): Tone {
  if (verdict === 'unknown') return failMode === 'bad' ? 'warn' : 'quiet';
  return ({ ok: 'good', near: 'warn', breached: 'bad', ungoverned: 'quiet' } as const)[verdict];
}

/** The governing ones first, each group in the order given: rows move only when somebody gives or takes a target. */
export function governingFirst(signals: readonly Signal[]): readonly Signal[] {
  return [
    ...signals.filter(({ verdict }) => verdict !== 'ungoverned'),
    ...signals.filter(({ verdict }) => verdict === 'ungoverned'),
  ];
}
