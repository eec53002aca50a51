import { Button, Checkbox } from '@mantine/core';
import type { Source } from '@spillway/shared/api/pipeline';
import { Panel } from '../../../components/panel.tsx';
import { formatCount, known } from '../../../lib/format.ts';
import { formatWindow } from '../../../lib/instant.ts';
import type { Span } from '../model/brush.ts';
import { outsideOf } from '../model/source-ticks.ts';
import styles from './new-backfill.module.css';

interface SourcesFieldProps {
  readonly sources: readonly Source[];
  readonly chosen: readonly string[];
  readonly window: Span | null;
  readonly onChange: (ids: readonly string[]) => void;
  readonly problem: string | undefined;
}

/** Which histories are replayed, and what each holds. */
export function SourcesField({ sources, chosen, window, onChange, problem }: SourcesFieldProps) {
  const all = sources.map(({ id }) => id);
  const outside = outsideOf(sources, all, window);
  const refused = outside.filter(({ id }) => chosen.includes(id)).map(({ id }) => id);
  return (
    <Panel title="Sources">
      <Checkbox.Group
        aria-label="Sources"
        value={[...chosen]}
        onChange={onChange}
        error={problem}
        errorProps={{ mt: 8 }}
      >
        <div className={styles.stack} style={{ gap: 12 }}>
          {sources.map((source) => (
            <Checkbox
              key={source.id}
              value={source.id}
              label={source.title === source.id ? source.id : `${source.title} (${source.id})`}
              description={
                source.failure === null
                  ? `${known(source.events) ? `${formatCount(source.events)} events` : 'not counted yet'}${source.range === null ? '' : `, ${formatWindow(source.range)}`}${source.state === 'disconnected' ? ' · live feed disconnected' : ''}${outside.includes(source) ? ' · the window does not touch it' : ''}`
                  : `failed, and would fail the backfill: ${source.failure.detail}`
              }
            />
          ))}
        </div>
      </Checkbox.Group>
      {problem === undefined || refused.length === 0 ? null : (
        <Button
          size="xs"
          variant="default"
          mt={10}
          onClick={() => onChange(chosen.filter((id) => !refused.includes(id)))}
        >
          {refused.length === 1 ? 'Untick it' : `Untick these ${refused.length}`}
        </Button>
      )}
    </Panel>
  );
}
