import { Skeleton } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { Panel } from '../../../components/panel.tsx';
import { patiently } from '../../../lib/patiently.ts';
import { usePainted } from '../../../lib/use-painted.ts';

const fetchContent = () => patiently(() => import('./throughput.tsx'));
const Throughput = lazy(() => fetchContent().then((module) => ({ default: module.Throughput })));
const RangeChoice = lazy(() => fetchContent().then((module) => ({ default: module.RangeChoice })));

const place = <Skeleton height={300} />;

/** Live and replay throughput, what replay was granted, and who did what when: fetched once the screen's first picture stands. */
export function ThroughputPanel({
  pipelineId,
  stale,
}: {
  readonly pipelineId: string;
  readonly stale: boolean;
}) {
  const painted = usePainted();
  const [rangeMs, setRangeMs] = useState(180_000);
  return (
    <Panel
      title="Throughput"
      hint="Applied events per second; times are UTC"
      aside={
        painted ? (
          <Suspense>
            <RangeChoice rangeMs={rangeMs} onChoose={setRangeMs} />
          </Suspense>
        ) : null
      }
    >
      {painted ? (
        <Suspense fallback={place}>
          <Throughput pipelineId={pipelineId} rangeMs={rangeMs} stale={stale} />
        </Suspense>
      ) : (
        place
      )}
    </Panel>
  );
}
