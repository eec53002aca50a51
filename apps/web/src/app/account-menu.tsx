import { Kbd, Menu, useMantineColorScheme } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconHistory,
  IconLogout,
  IconMoon,
  IconSettings,
  IconSun,
} from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { sessionQuery, signOut } from '../features/session/api/session.ts';
import { AccountButton } from './account-button.tsx';

/** Who one is, how the page looks, and the screens that are not in the bar. */
export function AccountMenu({
  opened,
  hadFocus,
  onHelp,
}: {
  /** Asked for before it was there. */
  readonly opened: boolean;
  /** Whether the button that stood in its place had the focus. */
  readonly hadFocus: RefObject<boolean>;
  readonly onHelp: () => void;
}) {
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const { data: session } = useQuery(sessionQuery);
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const button = useRef<HTMLButtonElement>(null);
  useLayoutEffect(() => {
    if (hadFocus.current) button.current?.focus();
  }, [hadFocus]);
  // Opened once the button has the focus, which comes back to it.
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (opened) setShown(true);
  }, [opened]);
  const leave = async () => {
    await signOut();
    queryClient.clear();
    await navigate({ to: '/sign-in' });
  };
  return (
    <Menu position="bottom-end" width={220} opened={shown} onChange={setShown}>
      <Menu.Target>
        <AccountButton ref={button} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {session?.actor} · {session?.role}
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
