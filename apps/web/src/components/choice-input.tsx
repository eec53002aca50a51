import { Select, type SelectProps } from '@mantine/core';

/** One of several to filter by, found by typing a part of it. */
export function ChoiceInput({
  label,
  placeholder,
  choices,
  chosen,
  onChoice,
  lift,
  nothing,
}: {
  readonly label: string;
  readonly placeholder: string;
  readonly choices: NonNullable<SelectProps['data']>;
  /** By which is filtered now. */
  readonly chosen: string | undefined;
  /** Empty: the filter is lifted. */
  readonly onChoice: (choice: string) => void;
  /** What the button that lifts it is called. */
  readonly lift: string;
  /** Where nothing has what is typed. */
  readonly nothing: string;
}) {
  return (
    <Select
      label={label}
      placeholder={placeholder}
      data={choices}
      value={chosen ?? null}
      onChange={(choice) => onChoice(choice ?? '')}
      searchable
      clearable
      clearButtonProps={{ 'aria-label': lift }}
      nothingFoundMessage={nothing}
    />
  );
}
