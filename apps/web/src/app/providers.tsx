import { MantineProvider } from '@mantine/core';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { sessionQuery } from '../features/session/api/session.ts';
import { LiveConnection } from '../features/telemetry/model/live-connection.ts';
import { ProblemError } from '../lib/http.ts';
import { makeRouter } from './router.tsx';
import { resolveTokens, theme } from './theme.ts';

type Assembled = ReturnType<typeof assemble>;

export function Providers({ queryClient, router, nonce }: Assembled & { readonly nonce: string }) {
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveTokens}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

/** The parts that live as long as the page. */
export function assemble() {
  const queryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, failed) => {
        // The session ended while the page was open: every answer is 401 from now on. Ask once more and go to sign-in.
        if (
          error instanceof ProblemError &&
          error.status === 401 &&
          failed.queryKey[0] !== 'session' &&
          queryClient.getQueryData(sessionQuery.queryKey) !== undefined
        ) {
          queryClient.removeQueries({ queryKey: sessionQuery.queryKey });
          void router.invalidate();
        }
      },
    }),
    defaultOptions: {
      queries: {
        refetchOnWindowFocus: true,
        // A refusal stays a refusal; what could not be reached may be back in a moment.
        retry: (failures, error) =>
          failures < 2 && error instanceof ProblemError && (error.status === 0 || error.status >= 500),
        retryDelay: (attempt) => 400 * 2 ** attempt,
      },
      mutations: { retry: false },
    },
  });
  const router = makeRouter({ queryClient, live: new LiveConnection(queryClient) });
  return { queryClient, router };
}
