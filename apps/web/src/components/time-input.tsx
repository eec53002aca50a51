import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { fromInput, toInput } from '../lib/instant.ts';

interface TimeInputProps {
  readonly label: string;
  readonly ms: number | null;
  readonly error?: string | undefined;
  readonly onMs: (ms: number) => void;
  /** An empty field is an answer too; without it, it is a time not yet typed. */
  readonly onNone?: () => void;
}

/** A UTC time as people type it. While somebody types, the text is theirs; `onMs` follows as soon as it is a time. */
export function TimeInput({ label, ms, error, onMs, onNone }: TimeInputProps) {
  const [typed, setTyped] = useState<string | null>(null);
  const empty = typed !== null && typed.trim() === '';
  const unread = typed !== null && fromInput(typed) === null && !(empty && onNone !== undefined);
  return (
    <TextInput
      label={label}
      placeholder="YYYY-MM-DD hh:mm"
      autoComplete="off"
      spellCheck={false}
      value={typed ?? (ms === null ? '' : toInput(ms))}
      error={unread ? 'Write a UTC time such as 2001-01-31 06:00.' : error}
      onChange={(event) => {
        const text = event.currentTarget.value;
        setTyped(text);
        const parsed = fromInput(text);
        if (parsed !== null) onMs(parsed);
        else if (text.trim() === '') onNone?.();
      }}
      onBlur={() => {
        if (typed === null || typed === '' || fromInput(typed) !== null) setTyped(null);
      }}
    />
  );
}
