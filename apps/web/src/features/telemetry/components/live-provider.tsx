import { type ReactNode, useEffect, useState } from 'react';
import type { LiveConnection } from '../model/live-connection.ts';
import { LiveContext } from './live-context.ts';

/** Keeps the event stream open while it is mounted, and lets everything below read what it says. */
export function LiveProvider({
  connection,
  children,
}: {
  readonly connection: LiveConnection;
  readonly children: ReactNode;
}) {
  const [store, setStore] = useState(connection.store);
  useEffect(() => {
    connection.open();
    setStore(connection.store);
    return () => connection.close();
  }, [connection]);
  return <LiveContext value={store}>{children}</LiveContext>;
}
