import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { pipelineCostQuery } from '../features/cost/api/get-pipeline-cost.ts';
import { BackfillCosts } from '../features/cost/components/backfill-costs.tsx';
import { CostTiles } from '../features/cost/components/cost-tiles.tsx';
import { ItemsTable } from '../features/cost/components/items-table.tsx';
import { ExampleMark, PriceBookPanel } from '../features/cost/components/price-book-panel.tsx';
import { WriteAmplification } from '../features/cost/components/write-amplification.tsx';
import { spendWords } from '../features/cost/model/item-words.ts';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { PipelineChoice } from '../features/pipeline/components/pipeline-choice.tsx';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { formatClock } from '../lib/instant.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './cost.module.css';

const route = getRouteApi('/room/cost');

/** What is spent, by whom, and what of it capacity that is paid for already absorbs. */
export function CostPage() {
  useTitle('Cost');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  const pipelines = useQuery(pipelinesQuery);

  if (pipelines.isPending) return <PagePending />;
  if (pipelines.isLoadingError)
    return <Failed what="The pipelines" error={pipelines.error} onRetry={() => void pipelines.refetch()} />;
  const pipeline = pipelines.data.find(({ id }) => id === chosen) ?? pipelines.data[0];
  if (pipeline === undefined)
    return (
      <Empty title="There is no pipeline yet">
        Create one with POST /v1/pipelines (see the API reference).
      </Empty>
    );
  const book = pipeline.priceBook;
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <div>
          <h1>Cost</h1>
          <p className={styles.soft}>
            {pipeline.title}
            {book === null ? '' : ` · spend counts ${spendWords[book.spendCounts]}`}
          </p>
          <ExampleMark book={book} />
        </div>
        <PipelineChoice
          pipelines={pipelines.data}
          chosen={pipeline}
          onChoose={(id) => void navigate({ search: { pipeline: id } })}
        />
      </header>
      {book === null ? null : <Metered key={pipeline.id} pipeline={pipeline} />}
      {book === null ? <PriceBookPanel pipeline={pipeline} /> : null}
    </div>
  );
}

function Metered({ pipeline }: { readonly pipeline: Pipeline }) {
  const cost = useQuery(pipelineCostQuery(pipeline.id));
  const dropped = useStale();
  // The last answer stays when the next one fails, and is no longer the present.
  const stale = dropped || cost.isError;
  const live = cost.data?.live ?? null;
  return (
    <>
      {cost.isPending ? (
        <PagePending />
      ) : cost.isLoadingError ? (
        <Failed what="The meter" error={cost.error} onRetry={() => void cost.refetch()} />
      ) : (
        <>
          <CostTiles cost={cost.data} stale={stale} />
          <Panel title="By backfill" hint="The newest first, each by the price book it began under" flush>
            {cost.data.backfills.length === 0 ? (
              <Empty
                title="No backfill has cost anything yet"
                action={<Link to="/backfills/new">See what one would cost</Link>}
              >
                What a backfill spends is metered from its first event on.
              </Empty>
            ) : (
              <BackfillCosts backfills={cost.data.backfills} stale={stale} />
            )}
          </Panel>
        </>
      )}
      <div className={styles.pair}>
        <Panel
          title="Live, by item"
          hint={
            live === null ? 'Since it was first metered' : `Metered until ${formatClock(live.meteredAt)} UTC`
          }
          stale={stale}
        >
          {live === null ? (
            <Empty title="Live has not been metered yet">The workers report once a second.</Empty>
          ) : (
            <div className={styles.column}>
              <ItemsTable caption="What live has cost, by item" items={live.items} sum={live} />
              <WriteAmplification metered={live} />
            </div>
          )}
        </Panel>
        <PriceBookPanel pipeline={pipeline} />
      </div>
    </>
  );
}
