import { Button, Skeleton } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { ClearFilters } from '../components/filter-bar.tsx';
import { Column, PageHead } from '../components/page.tsx';
import { PageFooter } from '../components/page-footer.tsx';
import { Inset, Panel } from '../components/panel.tsx';
import { auditPageQuery } from '../features/audit/api/get-audit.ts';
import { AuditEntries } from '../features/audit/components/audit-entries.tsx';
import { AuditFilters } from '../features/audit/components/audit-filters.tsx';
import { ChainCheck } from '../features/audit/components/chain-check.tsx';
import { type AuditSearch, isNarrowed, parseAuditSearch } from '../features/audit/model/audit-search.ts';
import { useTitle } from '../lib/use-title.ts';

const route = getRouteApi('/room/audit');

/** Who did what, when, from where, on what, why, and what it changed. */
export function AuditPage() {
  useTitle('Audit');
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const page = useQuery(auditPageQuery(search));
  const show = (next: AuditSearch) => void navigate({ search: next });

  return (
    <Column>
      <PageHead
        title="Audit"
        about="Who did what, newest first; times are UTC"
        aside={
          <Button
            variant="default"
            leftSection={<IconRefresh aria-hidden size={16} />}
            loading={page.isFetching}
            onClick={() => void page.refetch()}
          >
            Refresh
          </Button>
        }
      />
      <ChainCheck />
      <AuditFilters search={search} onSearch={show} />
      <Panel title="Entries" flush>
        {page.isError ? (
          <Inset>
            <Failed what="The audit" error={page.error} onRetry={() => void page.refetch()} />
          </Inset>
        ) : page.data === undefined ? (
          <Inset>
            <Skeleton height={320} />
          </Inset>
        ) : page.data.items.length === 0 ? (
          <Nothing search={search} onClear={() => show({})} />
        ) : (
          <>
            <AuditEntries entries={page.data.items} search={search} stale={page.isPlaceholderData} />
            <PageFooter
              count={`${page.data.items.length} ${page.data.items.length === 1 ? 'entry' : 'entries'}`}
              first={
                search.cursor === undefined
                  ? null
                  : {
                      word: 'Newest',
                      onGo: () => {
                        const { cursor: _, ...newest } = search;
                        show(newest);
                      },
                    }
              }
              next={
                page.data.nextCursor === null
                  ? null
                  : {
                      word: 'Older',
                      onGo: () => show(parseAuditSearch({ ...search, cursor: page.data.nextCursor })),
                    }
              }
            />
          </>
        )}
      </Panel>
    </Column>
  );
}

function Nothing({ search, onClear }: { readonly search: AuditSearch; readonly onClear: () => void }) {
  return isNarrowed(search) ? (
    <Empty title="Nothing was done that fits the filters" action={<ClearFilters onClear={onClear} />}>
      The filters are in the address; without them everything is shown.
    </Empty>
  ) : (
    <Empty title="Nothing older is recorded">
      Everything anybody changes is written down here, in the same step as the change.
    </Empty>
  );
}
