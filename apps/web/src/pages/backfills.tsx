import { Button, Checkbox, SegmentedControl, Skeleton } from '@mantine/core';
import { IconPlayerPause, IconPlus } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { useState } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { ClearFilters } from '../components/filter-bar.tsx';
import { Column, PageHead } from '../components/page.tsx';
import { PageFooter } from '../components/page-footer.tsx';
import { backfillsQuery } from '../features/backfill/api/list-backfills.ts';
import { BackfillFilters } from '../features/backfill/components/backfill-filters.tsx';
import { BackfillTable, type Choosing } from '../features/backfill/components/backfill-table.tsx';
import { useBackfillCommand } from '../features/backfill/components/use-backfill-command.tsx';
import {
  type BackfillsSearch,
  isNarrowed,
  narrowed,
  parseBackfillsSearch,
  readStates,
  sameStates,
  stateGroups,
  writeStates,
} from '../features/backfill/model/backfills-search.ts';
import { sessionQuery } from '../features/session/api/session.ts';
import { mayOperate } from '../features/session/model/rights.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { formatCount } from '../lib/format.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './backfills.module.css';

const route = getRouteApi('/room/backfills');
const pageSize = 50;

const box: Choosing['box'] = ({ label, onChange, ...rest }) => (
  <Checkbox aria-label={label} onChange={(event) => onChange(event.currentTarget.checked)} {...rest} />
);

/** Every backfill, newest first, by state. */
export function BackfillsPage() {
  useTitle('Backfills');
  const search = route.useSearch();
  const { pipeline: _, ...filter } = search;
  const { cursor } = filter;
  const state = readStates(filter.state);
  const navigate = route.useNavigate();
  const { data: session } = useQuery(sessionQuery);
  const mayOperateHere = session !== undefined && mayOperate(session);
  const stale = useStale();
  const list = useQuery(backfillsQuery({ limit: pageSize, ...filter }));
  const { pauseAll } = useBackfillCommand();
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());

  const items = list.data?.items ?? [];
  const pausable = items.filter(
    ({ id, allowedActions }) => chosen.has(id) && allowedActions.includes('pause'),
  );
  const group = stateGroups.find(({ states }) => sameStates(states, state));
  const choose = (ids: readonly string[], is: boolean) =>
    setChosen((before) => {
      const after = new Set(before);
      for (const id of ids) is ? after.add(id) : after.delete(id);
      return after;
    });
  const show = (next: BackfillsSearch) => {
    setChosen(new Set());
    void navigate({ search: next });
  };
  const pauseChosen = () => {
    pauseAll(pausable);
    setChosen(new Set());
  };

  return (
    <Column>
      <PageHead
        title="Backfills"
        aside={
          mayOperateHere ? (
            <Button
              leftSection={<IconPlus aria-hidden size={16} />}
              className={styles.new}
              renderRoot={(props) => <Link to="/backfills/new" {...props} />}
            >
              New backfill
            </Button>
          ) : null
        }
      />
      <div className={styles.tools}>
        <div className={styles.filter}>
          <SegmentedControl
            aria-label="Show backfills by state"
            className={styles.choices}
            data={[...stateGroups.map(({ label }) => label), ...(group === undefined ? ['Other'] : [])]}
            value={group?.label ?? 'Other'}
            onChange={(label) => {
              const states = stateGroups.find((each) => each.label === label)?.states ?? [];
              show(narrowed(search, { state: writeStates(states) ?? '' }));
            }}
          />
        </div>
        {pausable.length > 0 ? (
          <Button
            variant="default"
            leftSection={<IconPlayerPause aria-hidden size={16} />}
            onClick={pauseChosen}
          >
            Pause {pausable.length} chosen
          </Button>
        ) : null}
      </div>
      {/* On the first day there is nothing to find. */}
      {list.data?.total === 0 && !isNarrowed(search) ? null : (
        <BackfillFilters search={search} onSearch={show} />
      )}
      {list.isPending ? (
        <div className={styles.card} role="status" aria-label="Loading backfills">
          <div className={styles.loading}>
            {[1, 2, 3, 4].map((row) => (
              <Skeleton key={row} height={56} />
            ))}
          </div>
        </div>
      ) : list.isLoadingError ? (
        <Failed what="The backfills" error={list.error} onRetry={() => void list.refetch()} />
      ) : (
        <div className={styles.card}>
          <BackfillTable
            backfills={items}
            caption="Backfills"
            list={list.isPlaceholderData ? null : JSON.stringify(filter)}
            empty={
              !isNarrowed(search) && cursor === undefined ? (
                <Empty
                  title="No backfill has been started yet"
                  action={<Link to="/backfills/new">Open the coverage map</Link>}
                >
                  A backfill replays a window of history into the pipeline. The coverage map shows where
                  history is missing.
                </Empty>
              ) : (
                <Empty
                  title="No backfill fits the filters"
                  action={<ClearFilters onClear={() => show({})} />}
                >
                  The filters are in the address; without them every backfill is shown.
                </Empty>
              )
            }
            stale={stale}
            {...(mayOperateHere ? { choosing: { chosen, onChoose: choose, box } } : {})}
          />
          {items.length === 0 ? null : (
            <PageFooter
              count={
                list.data.total > items.length
                  ? `${items.length} of ${formatCount(list.data.total)} backfills`
                  : `${items.length} ${items.length === 1 ? 'backfill' : 'backfills'}`
              }
              first={
                cursor === undefined
                  ? null
                  : {
                      word: 'First page',
                      onGo: () => show(narrowed(search, {})),
                    }
              }
              next={
                list.data.nextCursor === null
                  ? null
                  : {
                      word: 'Next page',
                      onGo: () => show(parseBackfillsSearch({ ...search, cursor: list.data.nextCursor })),
                    }
              }
            />
          )}
        </div>
      )}
    </Column>
  );
}
