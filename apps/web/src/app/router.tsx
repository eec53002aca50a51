import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
  retainSearchParams,
} from '@tanstack/react-router';
import { NotFound, PageFailed, RoomPending } from '../components/page-states.tsx';
import { raisedAlertsQuery } from '../features/alerts/api/list-alerts.ts';
import { parseAuditSearch } from '../features/audit/model/audit-search.ts';
import { currentBackfillsQuery } from '../features/backfill/api/list-backfills.ts';
import { parseBackfillsSearch } from '../features/backfill/model/backfills-search.ts';
import { parseNewBackfillSearch } from '../features/new-backfill/model/new-backfill-search.ts';
import { type PastSearch, parsePastSearch } from '../features/past/model/past-search.ts';
import { chosenOf, pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { sourcesQuery } from '../features/pipeline/api/list-sources.ts';
import { namedPipeline } from '../features/pipeline/model/named-pipeline.ts';
import { sessionQuery } from '../features/session/api/session.ts';
import { hasWaitingCode } from '../features/session/model/address-code.ts';
import type { LiveConnection } from '../features/telemetry/model/live-connection.ts';
import { ProblemError } from '../lib/http.ts';
import { NowPage } from '../pages/now.tsx';
import { Shell } from './shell.tsx';

interface RouterContext {
  readonly queryClient: QueryClient;
  readonly live: LiveConnection;
}

const rootRoute = createRootRouteWithContext<RouterContext>()({
  component: Outlet,
  notFoundComponent: NotFound,
});

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  component: lazyRouteComponent(() => import('../pages/sign-in.tsx'), 'SignInPage'),
  validateSearch: (search: Record<string, unknown>): { next?: string } => {
    const next = search['next'];
    // Only paths of this site: never a way to somewhere else.
    return typeof next === 'string' && next.startsWith('/') && !next.startsWith('//') ? { next } : {};
  },
});

/** Every screen behind sign-in, inside the shell. */
const roomRoute = createRoute({
  getParentRoute: () => rootRoute,
  id: 'room',
  component: Shell,
  beforeLoad: async ({ context, location }) => {
    const next = location.href === '/' ? {} : { next: location.href };
    if (hasWaitingCode()) throw redirect({ to: '/sign-in', search: next });
    // All of it is asked for at once, as if somebody were signed in: mostly somebody is.
    context.live.open();
    void context.queryClient.prefetchQuery(pipelinesQuery);
    if (location.pathname === '/') void prepareNow(context, whichMoment(location.search));
    try {
      await context.queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      context.live.close();
      if (error instanceof ProblemError && error.status === 401)
        throw redirect({ to: '/sign-in', search: next });
      throw error;
    }
  },
  errorComponent: PageFailed,
  pendingComponent: RoomPending,
});

/** From screen to screen the pipeline stays the same, also by way of those that are about all of them, and so does the moment where there is a time bar. */
interface PipelineSearch {
  readonly pipeline?: string | undefined;
}
const keepsPipeline = { middlewares: [retainSearchParams<{ readonly pipeline?: string }>(['pipeline'])] };
const keepsBoth = { middlewares: [retainSearchParams<PipelineSearch & PastSearch>(['pipeline', 'at'])] };
const whichMoment = (search: Record<string, unknown>): PipelineSearch & PastSearch => ({
  ...namedPipeline(search),
  ...parsePastSearch(search),
});

/** What comes at once comes before the first picture: one that is made once is sooner there than one that is made in four steps. */
const FIRST_PICTURE_MS = 250;

/** What Now is about to ask for, asked for before it is drawn. Whoever looks back asks for other things. */
async function prepareNow(
  { queryClient, live }: RouterContext,
  { pipeline: id, at }: PipelineSearch & PastSearch,
): Promise<void> {
  if (at !== undefined) return;
  await queryClient.prefetchQuery(pipelinesQuery);
  const pipeline = chosenOf(queryClient.getQueryData(pipelinesQuery.queryKey) ?? [], id);
  if (pipeline === undefined) return;
  void queryClient.prefetchQuery(sourcesQuery);
  await Promise.all([
    queryClient.prefetchQuery(currentBackfillsQuery(pipeline.id)),
    queryClient.prefetchQuery(raisedAlertsQuery(pipeline.id)),
    live.heard(),
  ]);
}

const nowRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/',
  component: NowPage,
  validateSearch: whichMoment,
  loader: async ({ context, location }) => {
    const prepared = prepareNow(context, whichMoment(location.search));
    if (context.live.store.getSnapshot().receivedAtMs === null)
      await Promise.race([prepared, new Promise((resolve) => setTimeout(resolve, FIRST_PICTURE_MS))]);
  },
  search: keepsBoth,
});
const pipelineRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/pipeline',
  component: lazyRouteComponent(() => import('../pages/pipeline.tsx'), 'PipelinePage'),
  validateSearch: whichMoment,
  search: keepsBoth,
});
const costRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/cost',
  component: lazyRouteComponent(() => import('../pages/cost.tsx'), 'CostPage'),
  validateSearch: namedPipeline,
  search: keepsPipeline,
});
const streamsRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/streams',
  component: lazyRouteComponent(() => import('../pages/streams.tsx'), 'StreamsPage'),
  validateSearch: namedPipeline,
  search: keepsPipeline,
});
const readinessRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/readiness',
  component: lazyRouteComponent(() => import('../pages/readiness.tsx'), 'ReadinessPage'),
  validateSearch: namedPipeline,
  search: keepsPipeline,
});
const auditRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/audit',
  component: lazyRouteComponent(() => import('../pages/audit.tsx'), 'AuditPage'),
  validateSearch: parseAuditSearch,
  search: keepsPipeline,
});
const settingsRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('../pages/settings.tsx'), 'SettingsPage'),
  validateSearch: namedPipeline,
  search: keepsPipeline,
});
const backfillsRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/backfills',
  component: lazyRouteComponent(() => import('../pages/backfills.tsx'), 'BackfillsPage'),
  validateSearch: parseBackfillsSearch,
  search: keepsPipeline,
});
const newBackfillRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/backfills/new',
  component: lazyRouteComponent(() => import('../pages/new-backfill.tsx'), 'NewBackfillPage'),
  validateSearch: parseNewBackfillSearch,
  search: keepsPipeline,
});
const backfillRoute = createRoute({
  getParentRoute: () => roomRoute,
  path: '/backfills/$backfillId',
  component: lazyRouteComponent(() => import('../pages/backfill.tsx'), 'BackfillPage'),
  validateSearch: whichMoment,
  search: keepsBoth,
});

export function makeRouter(context: RouterContext) {
  return createRouter({
    routeTree: rootRoute.addChildren([
      signInRoute,
      roomRoute.addChildren([
        nowRoute,
        pipelineRoute,
        streamsRoute,
        costRoute,
        readinessRoute,
        auditRoute,
        settingsRoute,
        backfillsRoute,
        newBackfillRoute,
        backfillRoute,
      ]),
    ]),
    context,
    defaultPreload: 'intent',
    defaultErrorComponent: PageFailed,
    scrollRestoration: true,
  });
}

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
