import { Button, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { TimeInput } from '../../../components/time-input.tsx';
import { isoDuration } from '../../../lib/duration.ts';
import { formatSpan } from '../../../lib/format.ts';
import { isoInstant } from '../../../lib/instant.ts';
import { coverageMapQuery } from '../../pipeline/api/get-coverage.ts';
import { Legend, type LegendItem } from '../../telemetry/components/legend.tsx';
import { coverageStepMs, holes, partlyWords, type Span } from '../model/brush.ts';
import type { DraftProblems } from '../model/draft.ts';
import { type WindowCount, windowWords } from '../model/window-count.ts';
import { CoverageAge } from './coverage-age.tsx';
import { CoverageMap } from './coverage-map.tsx';
import styles from './new-backfill.module.css';

interface WindowPanelProps {
  readonly pipelineId: string;
  readonly range: Span;
  /** That the map is of; none: of all. */
  readonly sources: readonly string[];
  readonly span: Span | null;
  /** Of `span`, see `use-window-count.ts`. */
  readonly count: WindowCount | null | undefined;
  readonly onSpan: (span: Span) => void;
  readonly problems: DraftProblems;
}

/** Of a store that is not ours. */
const notOurs: LegendItem = { name: 'expected; stored is known to your consumers alone', tone: 'quiet' };
const uncounted: LegendItem = { name: 'not counted yet', tone: 'quiet' };

/** Coverage first: the hole is what a backfill is for. */
export function WindowPanel({ pipelineId, range, sources, span, count, onSpan, problems }: WindowPanelProps) {
  const stepMs = coverageStepMs(range.toMs - range.fromMs);
  const scale = { ...range, stepMs };
  const coverage = useQuery(
    coverageMapQuery({
      pipelineId,
      from: isoInstant(range.fromMs),
      to: isoInstant(range.toMs),
      step: isoDuration(stepMs),
      sources,
    }),
  );
  const steps = useMemo(
    () =>
      (coverage.data?.items ?? []).map(({ start, expected, stored }) => ({
        startMs: Date.parse(start),
        expected,
        stored,
      })),
    [coverage.data],
  );
  const partly = coverage.data === undefined ? null : partlyWords(coverage.data.sources);
  const external = steps.some(({ stored }) => stored === null);
  const largest = holes(scale, steps).sort((a, b) => b.missing - a.missing)[0];

  return (
    <Panel
      title="Window"
      hint={`What the sources hold${external ? '' : ' against what the store holds'}, in steps of ${formatSpan(stepMs)}${ofSources(sources)}`}
      aside={
        <div className={styles.row}>
          {largest === undefined ? null : (
            <Button
              size="xs"
              variant="default"
              onClick={() => onSpan({ fromMs: largest.fromMs, toMs: largest.toMs })}
            >
              Largest hole
            </Button>
          )}
          <Button size="xs" variant="default" onClick={() => onSpan(range)}>
            Everything
          </Button>
        </div>
      }
    >
      <Legend
        items={[
          ...(external
            ? [notOurs]
            : [{ name: 'stored', tone: 'live' } as const, { name: 'missing', tone: 'hole' } as const]),
          ...(steps.some(({ expected }) => expected === null) ? [uncounted] : []),
        ]}
      />
      {coverage.isPending ? (
        <Skeleton height={210} mt={8} />
      ) : coverage.isLoadingError ? (
        <Failed what="The coverage map" error={coverage.error} onRetry={() => void coverage.refetch()} />
      ) : steps.length === 0 ? (
        <Empty title="The sources hold nothing here">Choose other sources.</Empty>
      ) : (
        <CoverageMap scale={scale} steps={steps} span={span} onSpan={onSpan} />
      )}
      {partly === null ? null : <p className={styles.age}>{partly}</p>}
      {coverage.isLoadingError || external ? null : (
        <p className={styles.age} data-testid="coverage-age">
          <CoverageAge
            readAtMs={coverage.data?.readAtMs ?? null}
            asking={coverage.isFetching}
            failed={coverage.isRefetchError}
          />
        </p>
      )}
      <div className={styles.times}>
        <TimeInput
          label="From (UTC)"
          ms={span?.fromMs ?? null}
          error={problems.from}
          onMs={(fromMs) => onSpan({ fromMs, toMs: span?.toMs ?? range.toMs })}
        />
        <TimeInput
          label="To (UTC, not included)"
          ms={span?.toMs ?? null}
          error={problems.to}
          onMs={(toMs) => onSpan({ fromMs: span?.fromMs ?? range.fromMs, toMs })}
        />
        <p className={styles.chosen} role="status">
          {span === null ? 'No window chosen yet.' : windowWords(span, count)}
        </p>
      </div>
    </Panel>
  );
}

function ofSources(sources: readonly string[]): string {
  if (sources.length === 0) return '';
  return sources.length === 1
    ? `; ${sources[0]} alone`
    : `; of the ${sources.length} sources that are ticked`;
}
