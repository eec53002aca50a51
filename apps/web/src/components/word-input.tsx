import { TextInput } from '@mantine/core';
import { useEffect, useState } from 'react';

/** A word to filter by: taken when one leaves it, or with Enter. */
export function WordInput({
  label,
  placeholder,
  word,
  onWord,
}: {
  readonly label: string;
  readonly placeholder: string;
  /** By which is filtered now. */
  readonly word: string | undefined;
  /** Empty: the filter is lifted. */
  readonly onWord: (word: string) => void;
}) {
  /** What is typed and not taken: a word that comes, taken or from elsewhere, takes its place for good. */
  const [edit, setEdit] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is the word's coming that counts, also of one like the one before the last.
  useEffect(() => setEdit(null), [word]);
  const typed = edit ?? word ?? '';
  const take = () => {
    if (typed.trim() !== (word ?? '')) onWord(typed.trim());
  };
  return (
    <TextInput
      label={label}
      placeholder={placeholder}
      maxLength={100}
      autoComplete="off"
      spellCheck={false}
      value={typed}
      onChange={(event) => setEdit(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take();
      }}
    />
  );
}
