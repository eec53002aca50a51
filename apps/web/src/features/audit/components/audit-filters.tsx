import { ChoiceInput } from '../../../components/choice-input.tsx';
import { FilterBar } from '../../../components/filter-bar.tsx';
import { TimeInput } from '../../../components/time-input.tsx';
import { WordInput } from '../../../components/word-input.tsx';
import { isoInstant } from '../../../lib/instant.ts';
import { actionChoices } from '../model/action-choices.ts';
import { type AuditSearch, isNarrowed, narrowed } from '../model/audit-search.ts';

interface AuditFiltersProps {
  readonly search: AuditSearch;
  readonly onSearch: (search: AuditSearch) => void;
}

/** Who, what, on what, and when. Each stands in the address as soon as it is said. */
export function AuditFilters({ search, onSearch }: AuditFiltersProps) {
  const set = (part: Partial<AuditSearch>) => onSearch(narrowed(search, part));
  const { from, to } = search;
  const reversed = from !== undefined && to !== undefined && Date.parse(from) >= Date.parse(to);
  return (
    <FilterBar label="Filter the audit" narrowed={isNarrowed(search)} onClear={() => onSearch({})}>
      <WordInput label="Who" placeholder="Anybody" word={search.actor} onWord={(actor) => set({ actor })} />
      <ChoiceInput
        label="Did what"
        placeholder="Anything"
        choices={actionChoices}
        chosen={search.action}
        onChoice={(action) => set({ action })}
        lift="Lift the filter by action"
        nothing="Nothing by that name"
      />
      <WordInput
        label="To what"
        placeholder="An id"
        word={search.target}
        onWord={(target) => set({ target })}
      />
      <TimeInput
        label="From, UTC"
        ms={msOf(from)}
        onMs={(ms) => set({ from: isoInstant(ms) })}
        onNone={() => set({ from: '' })}
      />
      <TimeInput
        label="Until, UTC"
        ms={msOf(to)}
        error={reversed ? 'This is not after its beginning.' : undefined}
        onMs={(ms) => set({ to: isoInstant(ms) })}
        onNone={() => set({ to: '' })}
      />
    </FilterBar>
  );
}

function msOf(time: string | undefined): number | null {
  return time === undefined ? null : Date.parse(time);
}
