import type { PipelineCost } from '@spillway/shared/api/cost';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead, Pair } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { pipelineCostQuery } from '../features/cost/api/get-pipeline-cost.ts';
import { BackfillCosts } from '../features/cost/components/backfill-costs.tsx';
import { CostPending } from '../features/cost/components/cost-pending.tsx';
import { CostTiles } from '../features/cost/components/cost-tiles.tsx';
import { ItemsTable } from '../features/cost/components/items-table.tsx';
import { ExampleMark, PriceBookPanel } from '../features/cost/components/price-book-panel.tsx';
import { WriteAmplification } from '../features/cost/components/write-amplification.tsx';
import { spendWords } from '../features/cost/model/item-words.ts';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { formatClock } from '../lib/instant.ts';
import { useTitle } from '../lib/use-title.ts';

const route = getRouteApi('/room/cost');

/** What is spent, by whom, and what of it capacity that is paid for already absorbs. */
export function CostPage() {
  useTitle('Cost');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();

  return (
    <ChosenPipeline id={chosen} onChoose={(id) => void navigate({ search: { pipeline: id } })}>
      {(pipeline, choice) => <CostOf key={pipeline.id} pipeline={pipeline} choice={choice} />}
    </ChosenPipeline>
  );
}

function CostOf({ pipeline, choice }: { readonly pipeline: Pipeline; readonly choice: ReactNode }) {
  const book = pipeline.priceBook;
  return (
    <Column>
      <PageHead
        title="Cost"
        beside={<ExampleMark book={book} />}
        about={`${pipeline.title}${book === null ? '' : ` · spend counts ${spendWords[book.spendCounts]}`}`}
        aside={choice}
      />
      {book === null ? <PriceBookPanel pipeline={pipeline} /> : <Metered pipeline={pipeline} />}
    </Column>
  );
}

/**
 * One answer of the meter: nothing is said of live or of a backfill before it is there, and nothing can be pressed that it would move. The price book
 * stays in its place in the tree whatever the meter answers: what is being written into it is not lost.
 */
function Metered({ pipeline }: { readonly pipeline: Pipeline }) {
  const cost = useQuery(pipelineCostQuery(pipeline.id));
  const dropped = useStale();
  // The last answer stays when the next one fails, and is no longer the present.
  const stale = dropped || cost.isError;
  // Asked once more after a failure it is pending again, beside what is being written meanwhile.
  if (cost.isPending && cost.errorUpdateCount === 0) return <CostPending />;
  return (
    <>
      {cost.isPending ? (
        <PagePending />
      ) : cost.data === undefined ? (
        <Failed what="The meter" error={cost.error} onRetry={() => void cost.refetch()} />
      ) : (
        <Backfills
          cost={cost.data}
          mayStart={pipeline.allowedActions.includes('start_backfill')}
          stale={stale}
        />
      )}
      <Pair split="major">
        {cost.data === undefined ? null : <Live live={cost.data.live} stale={stale} />}
        <PriceBookPanel pipeline={pipeline} />
      </Pair>
    </>
  );
}

function Backfills({
  cost,
  mayStart,
  stale,
}: {
  readonly cost: PipelineCost;
  readonly mayStart: boolean;
  readonly stale: boolean;
}) {
  const { backfills } = cost;
  return (
    <>
      <CostTiles cost={cost} stale={stale} />
      <Panel
        title="By backfill"
        hint="Those that go on, and those that ended within a day; each by the price book it began under"
        flush
      >
        {backfills.length === 0 ? (
          <Empty
            title="Nothing has been replayed within a day"
            action={mayStart ? <Link to="/backfills/new">See what one would cost</Link> : null}
          >
            What a backfill spends is metered from its first event on; what one spent that ended before stands
            on its own page.
          </Empty>
        ) : (
          <BackfillCosts backfills={backfills} stale={stale} />
        )}
      </Panel>
    </>
  );
}

function Live({ live, stale }: { readonly live: PipelineCost['live']; readonly stale: boolean }) {
  return (
    <Panel
      title="Live, by item"
      hint={live === null ? 'Since it was first metered' : `Metered until ${formatClock(live.meteredAt)} UTC`}
      stale={stale}
    >
      {live === null ? (
        <Empty title="Live has not been metered yet">The workers report once a second.</Empty>
      ) : (
        <Column>
          <ItemsTable caption="What live has cost, by item" items={live.items} sum={live} />
          <WriteAmplification metered={live} />
        </Column>
      )}
    </Panel>
  );
}
