import { NativeSelect } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';

/** Which pipeline a screen is about; nothing to choose where there is one. */
export function PipelineChoice({
  pipelines,
  chosen,
  onChoose,
}: {
  readonly pipelines: readonly Pipeline[];
  readonly chosen: Pipeline;
  readonly onChoose: (id: string) => void;
}) {
  if (pipelines.length < 2) return null;
  return (
    <NativeSelect
      label="Pipeline"
      w={260}
      data={pipelines.map(({ id, title, kind }) => ({
        value: id,
        label: kind === 'external' ? `${title} (external)` : title,
      }))}
      value={chosen.id}
      onChange={(event) => onChoose(event.currentTarget.value)}
    />
  );
}
