import { useQuery } from '@tanstack/react-query';
import { ChoiceInput } from '../../../components/choice-input.tsx';
import { FilterBar } from '../../../components/filter-bar.tsx';
import { WordInput } from '../../../components/word-input.tsx';
import { sourcesQuery } from '../../pipeline/api/list-sources.ts';
import { type BackfillsSearch, isNarrowed, narrowed } from '../model/backfills-search.ts';

/** Which one it was: by what somebody remembers of it. Each stands in the address as soon as it is said. */
export function BackfillFilters({
  search,
  onSearch,
}: {
  readonly search: BackfillsSearch;
  readonly onSearch: (search: BackfillsSearch) => void;
}) {
  const { data: sources } = useQuery(sourcesQuery);
  const set = (part: Partial<BackfillsSearch>) => onSearch(narrowed(search, part));
  const known = (sources ?? []).map(({ id }) => id);
  // Also one that is gone, or not read yet: what is filtered by is always said.
  const ids =
    search.source === undefined || known.includes(search.source) ? known : [...known, search.source];
  return (
    <FilterBar label="Find a backfill" narrowed={isNarrowed(search)} onClear={() => onSearch({})}>
      <WordInput
        label="Id or reason"
        placeholder="A part of it"
        word={search.text}
        onWord={(text) => set({ text })}
      />
      <ChoiceInput
        label="Source"
        placeholder="Any"
        choices={ids}
        chosen={search.source}
        onChoice={(source) => set({ source })}
        lift="Lift the filter by source"
        nothing="No source by that name"
      />
      <WordInput
        label="Started by"
        placeholder="Anybody"
        word={search.createdBy}
        onWord={(createdBy) => set({ createdBy })}
      />
    </FilterBar>
  );
}
