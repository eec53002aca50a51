import type { Signal } from '@spillway/shared/api/governor';
import { groupDigits } from '../../../lib/format.ts';
import { formatSignal, inSentence } from './signal-words.ts';

/**
 * The governor explains itself with the names of its signals and bare numbers; this puts the titles and the units in, from the
 * signals it spoke about, and groups the digits. What it does not know stays as it is.
 */
export function plainWords(text: string, signals: readonly Signal[]): string {
  return groupDigits(
    signals.reduce((said, { name, title }) => {
      if (!said.includes(name)) return said;
      const number = String.raw`(\d+(?:\.\d+)?)`;
      return said
        .replace(
          new RegExp(
            String.raw`\b${asPattern(name)} is ${number}, its target ${number}(?: \(held to ${number}\))?`,
            'g',
          ),
          (_all, value: string, target: string, held: string | undefined) =>
            `${inSentence(title)} is ${formatSignal(name, Number(value))}, its target ${formatSignal(name, Number(target))}${
              held === undefined ? '' : ` (held to ${formatSignal(name, Number(held))})`
            }`,
        )
        .replace(new RegExp(String.raw`\b${asPattern(name)}\b`, 'g'), inSentence(title));
    }, text),
  );
}

/** Signal names and probe ids are word characters, dots and dashes. */
const asPattern = (name: string) => name.replaceAll('.', String.raw`\.`);
