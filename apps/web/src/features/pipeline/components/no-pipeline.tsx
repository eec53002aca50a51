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
      Create one with POST /v1/pipelines, or start Spillway with its demo: SPILLWAY_DEMO=flights.
    </Empty>
  );
}
