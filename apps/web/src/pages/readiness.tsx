import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { readinessQuery } from '../features/readiness/api/get-readiness.ts';
import styles from '../features/readiness/components/readiness.module.css';
import { ReadinessList } from '../features/readiness/components/readiness-list.tsx';
import { ReadinessSummary } from '../features/readiness/components/readiness-summary.tsx';
import { groupsOf, groupWords } from '../features/readiness/model/readiness-words.ts';
import { useStale } from '../features/telemetry/components/live-context.ts';
import { formatClock } from '../lib/instant.ts';
import { useTitle } from '../lib/use-title.ts';

const route = getRouteApi('/room/readiness');

/** Is the pipeline ready for a replay? Answered from the running system, each answer with what it rests on. */
export function ReadinessPage() {
  useTitle('Readiness');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <ChosenPipeline id={chosen} onChoose={(id) => void navigate({ search: { pipeline: id } })}>
      {(pipeline, choice) => <ReadinessOf key={pipeline.id} pipeline={pipeline} choice={choice} />}
    </ChosenPipeline>
  );
}

function ReadinessOf({ pipeline, choice }: { readonly pipeline: Pipeline; readonly choice: ReactNode }) {
  const readiness = useQuery(readinessQuery(pipeline.id));
  const dropped = useStale();
  // The last answers stay when the next fail to come, and are no longer the present.
  const stale = dropped || readiness.isError;
  const { data } = readiness;
  return (
    <Column>
      <PageHead
        title="Readiness"
        about={`${pipeline.title} · answered from the running system${data === undefined ? '' : `, at ${formatClock(data.at)} UTC`}`}
        aside={choice}
      />
      {data === undefined ? (
        readiness.isError ? (
          <Failed what="The checklist" error={readiness.error} onRetry={() => void readiness.refetch()} />
        ) : (
          <PagePending />
        )
      ) : (
        <>
          <ReadinessSummary readiness={data} stale={stale} />
          <div className={styles.groups}>
            {groupsOf(data.items).map(({ group, items }) => (
              <Panel key={group} title={groupWords[group][0]} hint={groupWords[group][1]} stale={stale} flush>
                <ReadinessList items={items} />
              </Panel>
            ))}
          </div>
        </>
      )}
    </Column>
  );
}
