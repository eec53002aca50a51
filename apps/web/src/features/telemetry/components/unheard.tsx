import type { ReactNode } from 'react';
import { Empty } from '../../../components/empty.tsx';
import { useLive } from './live-context.ts';

/** In the place of what the event stream tells, before it has told any of it. That it is down does not mean that nothing has happened. */
export function Unheard({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  const { connection } = useLive();
  if (connection === 'open') return <Empty title={title}>{children}</Empty>;
  return (
    <Empty title="Not known: the event stream is down">
      It is being opened again, and what it tells is shown as soon as it does.
    </Empty>
  );
}
