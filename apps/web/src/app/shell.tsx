import { ActionIcon, Anchor, Button, Kbd } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import {
  IconChecklist,
  IconCoin,
  IconDroplet,
  IconPlus,
  IconRoute,
  IconSearch,
  IconStack2,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet, useLocation, useRouteContext, useRouter } from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { Hint } from '../components/hint.tsx';
import { useLooksBack } from '../features/past/components/past-context.ts';
import { sessionQuery } from '../features/session/api/session.ts';
import { mayOperate } from '../features/session/model/rights.ts';
import { DataAge } from '../features/telemetry/components/data-age.tsx';
import { LiveProvider } from '../features/telemetry/components/live-provider.tsx';
import { patiently } from '../lib/patiently.ts';
import { useIdle } from '../lib/use-idle.ts';
import { usePointed } from '../lib/use-pointed.ts';
import { Account } from './account.tsx';
import { keepFocus } from './focus-keeper.ts';
import { Brand, NowLink } from './now-link.tsx';
import styles from './shell.module.css';
import { ShellKeys } from './shell-keys.ts';

/** Fetched once the page has nothing else to do, or when it is asked for: none of it is seen in the first picture. */
const Aside = lazy(() =>
  patiently(() => import('./aside.tsx')).then((module) => ({ default: module.Aside })),
);

const screens = [
  { to: '/pipeline', word: 'Pipeline', icon: IconRoute },
  { to: '/streams', word: 'Streams', icon: IconDroplet },
  { to: '/backfills', word: 'Backfills', icon: IconStack2 },
  { to: '/cost', word: 'Cost', icon: IconCoin },
  { to: '/readiness', word: 'Readiness', icon: IconChecklist },
] as const;

/** Around every screen: where one is, how old the data is, who one is. */
export function Shell() {
  const { live } = useRouteContext({ from: '/room' });
  const idle = useIdle();
  const router = useRouter();
  useEffect(() => {
    // The screens that most clicks lead to. One that cannot be fetched now is asked for again by the click.
    if (idle)
      for (const path of ['/backfills', '/backfills/$backfillId'] as const)
        router.loadRouteChunk(router.routesByPath[path])?.catch(() => {});
  }, [idle, router]);
  useEffect(() => {
    const root = document.getElementById('root');
    return root === null ? undefined : keepFocus(root);
  }, []);
  const [helpOpen, setHelpOpen] = useState(false);
  const [asked, setAsked] = useState(false);
  const openPalette = () => {
    setAsked(true);
    spotlight.open();
  };
  const openHelp = () => {
    setAsked(true);
    setHelpOpen(true);
  };
  const { data: session } = useQuery(sessionQuery);
  const past = useLooksBack();
  usePointed(
    useLocation({ select: ({ hash }) => hash }),
    useLocation({ select: ({ pathname }) => pathname }),
  );

  return (
    <LiveProvider connection={live}>
      <ShellKeys onHelp={openHelp} onPalette={openPalette} />
      <Anchor href="#content" className={styles.skip}>
        Skip to content
      </Anchor>
      <header className={styles.bar}>
        <Brand />
        <nav className={styles.nav} aria-label="Screens">
          <NowLink />
          {screens.map(({ to, word, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={styles.link}
              activeProps={{ 'data-active': true }}
              activeOptions={{ includeSearch: false, includeHash: false }}
            >
              <Icon aria-hidden size={18} />
              {word}
            </Link>
          ))}
        </nav>
        <div className={styles.tools}>
          <DataAge />
          {session !== undefined && mayOperate(session) && !past ? (
            <Button
              size="sm"
              leftSection={<IconPlus aria-hidden size={16} />}
              className={styles.newWide}
              renderRoot={(props) => <Link to="/backfills/new" {...props} />}
            >
              New backfill
            </Button>
          ) : null}
          <Hint
            label={
              <span>
                Find and do anything <Kbd size="xs">Ctrl K</Kbd>
              </span>
            }
          >
            <ActionIcon
              variant="default"
              size={36}
              aria-label="Open the command palette"
              onClick={openPalette}
            >
              <IconSearch aria-hidden size={18} />
            </ActionIcon>
          </Hint>
          <Account idle={idle} onHelp={openHelp} />
        </div>
      </header>
      <main id="content" className={styles.content} tabIndex={-1}>
        <Outlet />
      </main>
      {idle || asked ? (
        <Suspense>
          <Aside helpOpen={helpOpen} onHelpClose={() => setHelpOpen(false)} />
        </Suspense>
      ) : null}
    </LiveProvider>
  );
}
