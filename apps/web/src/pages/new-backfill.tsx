import { Skeleton } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import type { StartBackfill } from '@spillway/shared/api/backfill';
import type { Pipeline, Source } from '@spillway/shared/api/pipeline';
import { useMutation, usePrefetchQuery, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link } from '@tanstack/react-router';
import { type FormEvent, lazy, type ReactNode, Suspense, useRef, useState } from 'react';
import { Empty } from '../components/empty.tsx';
import { Failed } from '../components/failed.tsx';
import { Column, PageHead } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { backfillKeys } from '../features/backfill/api/keys.ts';
import { startBackfill } from '../features/backfill/api/start-backfill.ts';
import styles from '../features/new-backfill/components/new-backfill.module.css';
import { SourcesField } from '../features/new-backfill/components/sources-field.tsx';
import { StartPanel } from '../features/new-backfill/components/start-panel.tsx';
import { useDraftQuote } from '../features/new-backfill/components/use-draft-quote.ts';
import { useSchemaCheck } from '../features/new-backfill/components/use-schema-check.ts';
import { useWindowCount } from '../features/new-backfill/components/use-window-count.ts';
import { useWindowInAddress } from '../features/new-backfill/components/use-window-in-address.ts';
import { WindowPanel } from '../features/new-backfill/components/window-panel.tsx';
import type { Span } from '../features/new-backfill/model/brush.ts';
import { curlText } from '../features/new-backfill/model/curl.ts';
import {
  askedRate,
  bodyOf,
  checkDraft,
  countSubwindows,
  type Draft,
  type DraftProblems,
  namedSources,
  problemsOf,
  refusedWords,
} from '../features/new-backfill/model/draft.ts';
import { isGoal, quoteBodyOf, startBodyOf } from '../features/new-backfill/model/goals.ts';
import { linkedWindow } from '../features/new-backfill/model/new-backfill-search.ts';
import { sourcesAtFirst, tickedAtFirst, tickProblem } from '../features/new-backfill/model/source-ticks.ts';
import { sourcesQuery } from '../features/pipeline/api/list-sources.ts';
import { ChosenPipeline } from '../features/pipeline/components/chosen-pipeline.tsx';
import { brokenQuote } from '../features/quote/model/quote-words.ts';
import { dayMs } from '../lib/duration.ts';
import { ProblemError } from '../lib/http.ts';
import { newIdempotencyKey } from '../lib/idempotency-key.ts';
import { useTitle } from '../lib/use-title.ts';

/** Fetched once the map is shown: a window is chosen first, and until then there is nothing to limit and nothing to quote. */
const LimitsPanel = lazy(() =>
  import('../features/new-backfill/components/limits-panel.tsx').then((module) => ({
    default: module.LimitsPanel,
  })),
);
const ForOperators = lazy(() =>
  import('../features/quote/components/for-operators.tsx').then((module) => ({
    default: module.ForOperators,
  })),
);
const QuotePanel = lazy(() =>
  import('../features/quote/components/quote-panel.tsx').then((module) => ({ default: module.QuotePanel })),
);

const route = getRouteApi('/room/backfills/new');

/** From a hole on the map to a running backfill. */
export function NewBackfillPage() {
  useTitle('New backfill');
  const { pipeline: chosen } = route.useSearch();
  const navigate = route.useNavigate();
  // Asked for beside the pipelines, not after them.
  usePrefetchQuery(sourcesQuery);
  return (
    <ChosenPipeline
      id={chosen}
      // A window of one pipeline is none of another's.
      onChoose={(id) => void navigate({ search: { pipeline: id } })}
    >
      {(pipeline, choice) => <NewBackfillOf pipeline={pipeline} choice={choice} />}
    </ChosenPipeline>
  );
}

function NewBackfillOf({ pipeline, choice }: { readonly pipeline: Pipeline; readonly choice: ReactNode }) {
  const search = route.useSearch();
  const sources = useQuery(sourcesQuery);
  if (sources.isPending) return <PagePending />;
  if (sources.isLoadingError)
    return (
      <Failed heading="h1" what="The sources" error={sources.error} onRetry={() => void sources.refetch()} />
    );

  const own = sources.data.filter(({ pipelineId }) => pipelineId === pipeline.id);
  const range = rangeOf(own);
  if (range === null)
    return (
      <Empty
        heading="h1"
        title="There is no history to replay yet"
        action={
          <>
            <Link to="/settings">See the sources</Link>
            {choice}
          </>
        }
      >
        {own.length === 0
          ? `${pipeline.title} has no source. An admin adds one with POST /v1/sources.`
          : own.some(({ events, failure }) => events === null && failure === null)
            ? `The sources of ${pipeline.title} are being counted; this page looks again every few seconds.`
            : `The sources of ${pipeline.title} hold nothing, or could not be counted.`}
      </Empty>
    );
  return (
    <NewBackfillForm
      key={pipeline.id}
      pipeline={pipeline}
      choice={choice}
      sources={own}
      range={range}
      asked={linkedWindow({ ...search })}
    />
  );
}

interface FormProps {
  readonly pipeline: Pipeline;
  readonly choice: ReactNode;
  readonly sources: readonly Source[];
  readonly range: Span;
  readonly asked: Span | null;
}

function NewBackfillForm({ pipeline, choice, sources, range, asked }: FormProps) {
  const navigate = route.useNavigate();
  const queryClient = useQueryClient();
  const allIds = sources.map(({ id }) => id);
  // Null: nobody has chosen, and the ticks follow the window.
  const [picked, setPicked] = useState<readonly string[] | null>(null);
  const [typed, setTyped] = useState<Omit<Draft, 'sourceIds'>>({
    window: asked,
    subwindow: 'PT1H',
    limitBy: 'share',
    sharePercent: Math.round(pipeline.replayShare * 100),
    eventsPerSecond: Math.round((pipeline.capacity.eventsPerSecond ?? 4_000) / 4),
    finishBy: '',
    maxCost: '',
    concurrency: 2,
    budget: '',
    isolated: false,
    reason: '',
  });
  const draft: Draft = { ...typed, sourceIds: picked ?? tickedAtFirst(sources, typed.window) };
  const currency = pipeline.priceBook?.currency ?? null;
  // One intent, one key: it changes with what is asked for, not with the click.
  const intent = useRef({ text: '', key: '' });
  const start = useMutation({
    mutationFn: (body: StartBackfill) => {
      const text = JSON.stringify(body);
      if (intent.current.text !== text) intent.current = { text, key: newIdempotencyKey() };
      return startBackfill(body, intent.current.key);
    },
    onSuccess: async (backfill) => {
      queryClient.setQueryData(backfillKeys.one(backfill.id), backfill);
      void queryClient.invalidateQueries({ queryKey: backfillKeys.lists });
      await navigate({ to: '/backfills/$backfillId', params: { backfillId: backfill.id } });
    },
  });
  const change = (part: Partial<Omit<Draft, 'sourceIds'>>) => {
    setTyped((before) => ({ ...before, ...part }));
    start.reset();
  };

  const body = bodyOf(draft, pipeline.id, allIds, currency);
  const own = {
    ...tickProblem(sources, draft.sourceIds, draft.window),
    ...checkDraft(draft, body, useSchemaCheck()),
  };
  const refusal = start.error instanceof ProblemError ? start.error.problem : null;
  const broken = brokenQuote(refusal);
  const refused = refusal === null || broken !== null ? null : problemsOf(refusal);
  const problems = { ...own, ...refused };
  const standing = Object.keys(own).length === 0;
  const mayStart = pipeline.allowedActions.includes('start_backfill');
  const quoting = useDraftQuote(
    standing && mayStart ? quoteBodyOf(draft, pipeline.id, allIds, currency) : null,
    sources,
  );
  const unquotable = refusedQuote(quoting.error);
  const startBody = startBodyOf(draft, quoting.current, pipeline.id, allIds, currency);
  // A quote is good for minutes, a command is kept for longer.
  const { quoteId: _, ...lasting } = startBody;
  // A goal is nothing until it has been solved to a rate. Anything else may start when quotes cannot be had.
  const solved = standing && (quoting.current !== null || !isGoal(draft));
  const missing = missingOf({ ...unquotable, ...own }, draft);
  // A start is refused for what its quote is refused for.
  const ready =
    solved && missing === null && broken === null && (quoting.current !== null || quoting.error !== null);
  const untouched = draft.window === null && refusal === null;
  const rateAsked = isGoal(draft)
    ? (quoting.quote?.limits.eventsPerSecond ?? null)
    : askedRate(draft, pipeline.capacity.eventsPerSecond, pipeline.replayShare);
  // Counted when the brush rests, not at every step it passes.
  const [rested] = useDebouncedValue(draft.window, 250);
  useWindowInAddress(rested);
  const named = namedSources(draft.sourceIds, allIds);
  const count = useWindowCount(pipeline.id, draft.sourceIds.length === 0 ? null : named, {
    window: draft.window,
    rested,
    range,
  });
  // Of some of them it would pass for the whole.
  const events = count?.isOfAll ? count.expected : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (ready && !start.isPending) start.mutate(startBody);
  };

  return (
    <form onSubmit={submit} noValidate>
      <Column>
        <PageHead title="New backfill" about={`Into ${pipeline.title}`} aside={choice} />
        <WindowPanel
          pipelineId={pipeline.id}
          range={mapRange(range, sources, draft.window)}
          // Of what may be chosen: a map of the window's own would lose the holes beside it.
          sources={namedSources(picked ?? sourcesAtFirst(sources), allIds)}
          span={draft.window}
          count={count}
          onSpan={(window) => change({ window })}
          problems={untouched ? {} : { ...unquotable, ...problems }}
        />
        <div className={styles.pair}>
          <div className={`${styles.stack} ${styles.form}`}>
            <SourcesField
              sources={sources}
              chosen={draft.sourceIds}
              window={draft.window}
              onChange={(sourceIds) => {
                setPicked(sourceIds);
                start.reset();
              }}
              problem={problems.sourceIds}
            />
            <Suspense fallback={<Skeleton height={360} radius={12} />}>
              <LimitsPanel
                pipeline={pipeline}
                draft={draft}
                onChange={change}
                problems={untouched ? {} : { ...unquotable, ...problems }}
                currency={currency}
              />
            </Suspense>
          </div>
          <div className={styles.quote}>
            <Suspense fallback={<Skeleton height={180} radius={12} />}>
              {mayStart ? (
                <QuotePanel
                  quote={quoting.quote}
                  missing={missing}
                  error={quoting.error}
                  waiting={quoting.waiting}
                  onRetry={quoting.again}
                  eventsPerSecond={rateAsked}
                  onRate={(eventsPerSecond) => change({ limitBy: 'rate', eventsPerSecond })}
                />
              ) : (
                <ForOperators windowChosen={rested !== null} />
              )}
            </Suspense>
          </div>
          <div className={styles.start}>
            <StartPanel
              events={events}
              subwindows={countSubwindows(draft)}
              eventsPerSecond={rateAsked}
              reason={draft.reason}
              onReason={(reason) => change({ reason })}
              curl={solved ? curlText(window.location.origin, lasting) : null}
              problems={refused === null ? problems : { ...problems, form: refusedWords(refused) }}
              requestId={refusal?.requestId ?? null}
              ready={ready}
              missing={missing}
              nearest={quoting.current?.goal?.met === false ? quoting.current.goal.eventsPerSecond : null}
              windowChosen={draft.window !== null}
              busy={start.isPending}
              mayStart={mayStart}
              broken={broken}
              onQuoteAgain={() => {
                start.reset();
                quoting.again();
              }}
              quoting={quoting.waiting}
            />
          </div>
        </div>
      </Column>
    </form>
  );
}

/** A quote that is refused for what is asked, not for want of a server: each part at its field. */
function refusedQuote(error: unknown): DraftProblems {
  return error instanceof ProblemError && error.status === 422 ? problemsOf(error.problem) : {};
}

/** What the form still lacks for a quote; null: nothing. */
function missingOf(problems: DraftProblems, draft: Draft): string | null {
  const [first] = Object.values(problems);
  if (first === undefined) return null;
  return draft.window === null ? 'Choose a window first: on the map, or as two times.' : first;
}

/**
 * Coverage ends at the live position: what lies beyond has not happened yet for the pipeline, and is no hole. A window that was
 * typed beyond it stretches the map.
 */
function mapRange(range: Span, sources: readonly Source[], window: Span | null): Span {
  const live = sources.flatMap(({ liveWatermark }) =>
    liveWatermark === null ? [] : [Date.parse(liveWatermark)],
  );
  if (live.length === 0) return range;
  const liveEndMs = Math.ceil(Math.max(...live) / dayMs) * dayMs;
  const endMs = Math.max(
    liveEndMs,
    window !== null && window.toMs > window.fromMs && window.toMs <= range.toMs ? window.toMs : 0,
  );
  return { fromMs: range.fromMs, toMs: Math.min(range.toMs, Math.max(endMs, range.fromMs + dayMs)) };
}

/** From the earliest to the latest event of any source; null while none is counted. */
function rangeOf(sources: readonly Source[]): Span | null {
  const ranges = sources.flatMap(({ range }) => (range === null ? [] : [range]));
  if (ranges.length === 0) return null;
  return {
    fromMs: Math.min(...ranges.map(({ from }) => Date.parse(from))),
    toMs: Math.max(...ranges.map(({ to }) => Date.parse(to))),
  };
}
