import '@mantine/notifications/styles.layer.css';
import { Notifications } from '@mantine/notifications';
import { KeysHelp } from './keys.tsx';
import { Palette } from './palette.tsx';

/** What lies over a screen when it is called for: the palette, the keys, and what has been done and can be undone. */
export function Aside({
  helpOpen,
  onHelpClose,
}: {
  readonly helpOpen: boolean;
  readonly onHelpClose: () => void;
}) {
  return (
    <>
      <Palette />
      <KeysHelp opened={helpOpen} onClose={onHelpClose} />
      <Notifications position="bottom-right" limit={4} />
    </>
  );
}
