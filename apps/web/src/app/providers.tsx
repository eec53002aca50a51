import '@mantine/notifications/styles.layer.css';
import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { QueryCache, QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useState } from 'react';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { sessionQuery } from '../features/session/api/session.ts';
import { hasWaitingCode } from '../features/session/model/address-code.ts';
import { LiveConnection } from '../features/telemetry/model/live-connection.ts';
import { ProblemError } from '../lib/http.ts';
import { makeRouter } from './router.tsx';
import { resolveTokens, theme } from './theme.ts';

export function Providers({ nonce }: { readonly nonce: string }) {
  const [{ queryClient, router }] = useState(assemble);
  return (
    <MantineProvider
      theme={theme}
      cssVariablesResolver={resolveTokens}
      defaultColorScheme="auto"
      getStyleNonce={() => nonce}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
        <Notifications position="bottom-right" limit={4} />
      </QueryClientProvider>
    </MantineProvider>
  );
}

function assemble() {
  const queryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error, failed) => {
        // The session ended while the page was open: every answer is 401 from now on. Ask once more and go to sign-in.
        if (error instanceof ProblemError && error.status === 401 && failed.queryKey[0] !== 'session') {
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
  // Everything waits for these: asked for before the first render, not after it. Whether they are refused is the router's to find.
  if (!hasWaitingCode()) {
    void queryClient.prefetchQuery(sessionQuery);
    void queryClient.prefetchQuery(pipelinesQuery);
  }
  return { queryClient, router };
}
