import { Button, TextInput } from '@mantine/core';
import { useState } from 'react';
import { fromInput, toInput } from '../../../lib/instant.ts';
import type { Draft, DraftProblems } from '../model/draft.ts';
import { finishSuggestions } from '../model/goals.ts';
import styles from './new-backfill.module.css';

interface GoalFieldsProps {
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
  readonly problems: DraftProblems;
}

/** A time instead of a rate. */
export function FinishByField({ draft, onChange, problems }: GoalFieldsProps) {
  const [suggestions] = useState(() => finishSuggestions(Date.now()));
  return (
    <div className={styles.stack} style={{ gap: 10 }}>
      <TextInput
        label="Finish by (UTC)"
        description="Solved to the lowest rate that ends in time, as far as is likely"
        placeholder="YYYY-MM-DD hh:mm"
        autoComplete="off"
        spellCheck={false}
        value={draft.finishBy}
        error={draft.finishBy === '' ? undefined : problems.finishBy}
        onChange={(event) => onChange({ finishBy: event.currentTarget.value })}
        onBlur={() => {
          const ms = fromInput(draft.finishBy);
          if (ms !== null) onChange({ finishBy: toInput(ms) });
        }}
      />
      <div className={styles.row}>
        {suggestions.map(({ words, ms }) => (
          <Button key={words} size="xs" variant="default" onClick={() => onChange({ finishBy: toInput(ms) })}>
            {words}
          </Button>
        ))}
      </div>
    </div>
  );
}

/** Money instead of a rate. */
export function MaxCostField({
  draft,
  onChange,
  problems,
  currency,
}: GoalFieldsProps & { readonly currency: string | null }) {
  if (currency === null)
    return (
      <p className={styles.soft}>This pipeline has no price book, so nothing can be solved for a cost.</p>
    );
  return (
    <TextInput
      label="At most"
      description="Solved to the fastest rate whose likely spend is within it"
      inputMode="decimal"
      autoComplete="off"
      rightSection={<span className={styles.soft}>{currency}</span>}
      rightSectionWidth={52}
      value={draft.maxCost}
      error={draft.maxCost === '' ? undefined : problems.maxCost}
      onChange={(event) => onChange({ maxCost: event.currentTarget.value })}
    />
  );
}
