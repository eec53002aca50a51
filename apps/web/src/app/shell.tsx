import { ActionIcon, Anchor, Button, Kbd, Menu, Tooltip, useMantineColorScheme } from '@mantine/core';
import { spotlight } from '@mantine/spotlight';
import {
  IconActivity,
  IconChecklist,
  IconCoin,
  IconDeviceDesktop,
  IconDroplet,
  IconHistory,
  IconLogout,
  IconMoon,
  IconPlus,
  IconRoute,
  IconSearch,
  IconSettings,
  IconStack2,
  IconSun,
  IconUser,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import {
  CatchBoundary,
  Link,
  Outlet,
  useLocation,
  useNavigate,
  useRouteContext,
  useRouter,
} from '@tanstack/react-router';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useLooksBack } from '../features/past/components/past-context.ts';
import { sessionQuery, signOut } from '../features/session/api/session.ts';
import { mayOperate } from '../features/session/model/rights.ts';
import { DataAge } from '../features/telemetry/components/data-age.tsx';
import { LiveProvider } from '../features/telemetry/components/live-provider.tsx';
import { useIdle } from '../lib/use-idle.ts';
import { usePointed } from '../lib/use-pointed.ts';
import styles from './shell.module.css';
import { useShellKeys } from './use-shell-keys.ts';

/** Fetched once the page has nothing else to do: nobody asks for anything by name before there is something to see. */
const Palette = lazy(() => import('./palette.tsx').then((module) => ({ default: module.Palette })));
const KeysHelp = lazy(() => import('./keys.tsx').then((module) => ({ default: module.KeysHelp })));

const screens = [
  { to: '/', word: 'Now', icon: IconActivity },
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
    // The screen that most clicks lead to. One that cannot be fetched now is asked for again by the click.
    if (idle) router.loadRouteChunk(router.routesByPath['/backfills/$backfillId'])?.catch(() => {});
  }, [idle, router]);
  const [helpOpen, setHelpOpen] = useState(false);
  useShellKeys(() => setHelpOpen(true));
  const { data: session } = useQuery(sessionQuery);
  const past = useLooksBack();
  usePointed(
    useLocation({ select: ({ hash }) => hash }),
    useLocation({ select: ({ pathname }) => pathname }),
  );

  return (
    <LiveProvider connection={live}>
      <Anchor href="#content" className={styles.skip}>
        Skip to content
      </Anchor>
      <header className={styles.bar}>
        <Link to="/" className={styles.brand} aria-label="Spillway, go to Now">
          <img src="/spillway.svg" alt="" width={28} height={28} />
          <span className={styles.name}>Spillway</span>
        </Link>
        <nav className={styles.nav} aria-label="Screens">
          {screens.map(({ to, word, icon: Icon }) => (
            <Link
              key={to}
              to={to}
              className={styles.link}
              activeProps={{ 'data-active': true }}
              activeOptions={{ exact: to === '/', includeSearch: false, includeHash: false }}
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
          <Tooltip
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
              onClick={() => spotlight.open()}
            >
              <IconSearch aria-hidden size={18} />
            </ActionIcon>
          </Tooltip>
          <UserMenu
            onHelp={() => setHelpOpen(true)}
            actor={session?.actor ?? ''}
            role={session?.role ?? ''}
          />
        </div>
      </header>
      <main id="content" className={styles.content} tabIndex={-1}>
        <Outlet />
      </main>
      {idle ? (
        // One that cannot be fetched is missed by who asks for it; the screen stands.
        <CatchBoundary getResetKey={() => 'once'} errorComponent={() => null}>
          <Suspense>
            <Palette />
            <KeysHelp opened={helpOpen} onClose={() => setHelpOpen(false)} />
          </Suspense>
        </CatchBoundary>
      ) : null}
    </LiveProvider>
  );
}

function UserMenu({
  onHelp,
  actor,
  role,
}: {
  readonly onHelp: () => void;
  readonly actor: string;
  readonly role: string;
}) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const leave = async () => {
    await signOut();
    queryClient.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="Account and appearance">
          <IconUser aria-hidden size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {actor} · {role}
        </Menu.Label>
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconHistory aria-hidden size={16} />}
          renderRoot={(props) => <Link to="/audit" {...props} />}
        >
          Audit
        </Menu.Item>
        <Menu.Item
          leftSection={<IconSettings aria-hidden size={16} />}
          renderRoot={(props) => <Link to="/settings" {...props} />}
        >
          Settings
        </Menu.Item>
        <Menu.Divider />
        {(['light', 'dark', 'auto'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={schemeIcon[scheme]}
            rightSection={colorScheme === scheme ? '✓' : null}
            onClick={() => setColorScheme(scheme)}
          >
            {schemeName[scheme]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item onClick={onHelp} rightSection={<Kbd size="xs">?</Kbd>}>
          Keys
        </Menu.Item>
        <Menu.Item component="a" href="/docs" target="_blank" rel="noreferrer">
          API reference
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout aria-hidden size={16} />} onClick={() => void leave()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const schemeIcon = {
  light: <IconSun aria-hidden size={16} />,
  dark: <IconMoon aria-hidden size={16} />,
  auto: <IconDeviceDesktop aria-hidden size={16} />,
};
const schemeName = { light: 'Light', dark: 'Dark', auto: 'As the system' };
