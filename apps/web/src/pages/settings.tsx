import { useQuery } from '@tanstack/react-query';
import { Column, PageHead } from '../components/page.tsx';
import { PagePending } from '../components/page-states.tsx';
import { Panel } from '../components/panel.tsx';
import { sessionQuery } from '../features/session/api/session.ts';
import { mayAdminister } from '../features/session/model/rights.ts';
import { AboutPanel } from '../features/settings/components/about-panel.tsx';
import { SourceList } from '../features/sources/components/source-list.tsx';
import { TokensPanel } from '../features/tokens/components/tokens-panel.tsx';
import { WebhooksPanel } from '../features/webhooks/components/webhooks-panel.tsx';
import { WorkersPanel } from '../features/workers/components/workers-panel.tsx';
import { useTitle } from '../lib/use-title.ts';

/** What concerns the installation as a whole. */
export function SettingsPage() {
  useTitle('Settings');
  const { data: session } = useQuery(sessionQuery);
  if (session === undefined) return <PagePending />;
  return (
    <Column>
      <PageHead
        title="Settings"
        about="Of this installation; what a pipeline may use is set on the Pipeline screen"
      />
      {mayAdminister(session) ? (
        <>
          <TokensPanel />
          <WebhooksPanel />
        </>
      ) : (
        <Panel id="tokens" title="Tokens and webhooks">
          <p>
            Admins make and revoke tokens, and set up webhooks. You are signed in as {session.actor}, with the
            role {session.role}.
          </p>
        </Panel>
      )}
      <WorkersPanel />
      <SourceList />
      <AboutPanel session={session} />
    </Column>
  );
}
