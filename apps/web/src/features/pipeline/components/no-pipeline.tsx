import { Button } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { Empty } from '../../../components/empty.tsx';

/** Instead of any screen about a pipeline. */
export function NoPipeline() {
  return (
    <Empty
      heading="h1"
      title="There is no pipeline yet"
      action={
        <a href="/docs" target="_blank" rel="noreferrer">
          Open the API reference
        </a>
      }
    >
      Create one with POST /v1/pipelines. The demo (SPILLWAY_DEMO=flights) comes with the first start; where
      it was removed, it does not come back.
    </Empty>
  );
}

/** Instead of one that the address names: what is shown is never another one in its place. */
export function UnknownPipeline({
  id,
  first,
  onChoose,
}: {
  readonly id: string;
  readonly first: Pipeline;
  readonly onChoose: (id: string) => void;
}) {
  return (
    <Empty
      heading="h1"
      title={`There is no pipeline “${id}”`}
      action={<Button onClick={() => onChoose(first.id)}>Show {first.title}</Button>}
    >
      It may have been removed, or the address is not complete.
    </Empty>
  );
}
