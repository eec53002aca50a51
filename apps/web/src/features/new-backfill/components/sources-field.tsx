import { Button, Checkbox } from '@mantine/core';
import type { Source } from '@spillway/shared/api/pipeline';
import { Panel } from '../../../components/panel.tsx';
import type { Span } from '../model/brush.ts';
import { refusedIds, tickWords } from '../model/source-ticks.ts';
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
  const refused = refusedIds(sources, chosen, window);
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
              description={tickWords(source, window)}
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
