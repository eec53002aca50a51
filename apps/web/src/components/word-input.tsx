import { TextInput } from '@mantine/core';
import { useState } from 'react';

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
  /** What is typed, over the word that stood there: another one that has come from elsewhere is shown. */
  const [edit, setEdit] = useState<{ readonly text: string; readonly over: string | undefined } | null>(null);
  const typed = edit !== null && edit.over === word ? edit.text : (word ?? '');
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
      onChange={(event) => setEdit({ text: event.currentTarget.value, over: word })}
      onBlur={take}
      onKeyDown={(event) => {
        if (event.key === 'Enter') take();
      }}
    />
  );
}
