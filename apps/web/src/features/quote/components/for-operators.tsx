import { IconLink } from '@tabler/icons-react';
import { CopyAction } from '../../../components/copy-action.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Panel } from '../../../components/panel.tsx';

/** In the place of a quote, for whoever may only look: what they do see, and how they hand it on. */
export function ForOperators({ windowChosen }: { readonly windowChosen: boolean }) {
  return (
    <Panel title="Quote" hint="What it will do and cost">
      <Empty
        title="Operators and admins are quoted"
        action={
          windowChosen ? (
            <CopyAction
              variant="default"
              value={window.location.href}
              label="Copy the address"
              icon={IconLink}
            />
          ) : null
        }
      >
        Your role may look: the map tells what is missing, and Start how many events a window holds and how
        long they take at least.{' '}
        {windowChosen
          ? 'The address of this page holds the window: whoever may quote and start it needs nothing else.'
          : 'Choose a window, on the map or as two times: the address of this page holds it then, for whoever may quote and start it.'}
      </Empty>
    </Panel>
  );
}
