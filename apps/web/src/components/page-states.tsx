import { Button, Skeleton } from '@mantine/core';
import { type ErrorComponentProps, Link, useRouter } from '@tanstack/react-router';
import { Empty } from './empty.tsx';
import { Failed } from './failed.tsx';

export function PagePending() {
  return (
    <div style={{ display: 'grid', gap: 16 }} role="status" aria-label="Loading">
      <Skeleton height={72} radius={12} />
      <Skeleton height={180} radius={12} />
      <Skeleton height={260} radius={12} />
    </div>
  );
}

/** Before the frame of the room is there. */
export function RoomPending() {
  return (
    <div style={{ padding: 24 }}>
      <PagePending />
    </div>
  );
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = () => {
    reset();
    void router.invalidate();
  };
  return (
    <div style={{ padding: 24 }}>
      <Failed what="This screen" heading="h1" error={error} onRetry={retry} />
    </div>
  );
}

export function NotFound() {
  return (
    <main style={{ padding: 24 }}>
      <Empty
        heading="h1"
        title="There is no such page"
        action={<Button renderRoot={(props) => <Link to="/" {...props} />}>Go to Now</Button>}
      >
        The address may have been mistyped.
      </Empty>
    </main>
  );
}
