import { Autocomplete, Checkbox, NumberInput, SegmentedControl, Slider, TextInput } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { Panel } from '../../../components/panel.tsx';
import { formatRate, formatRatio } from '../../../lib/format.ts';
import type { Draft, DraftProblems } from '../model/draft.ts';
import { limitedBy } from '../model/goals.ts';
import { FinishByField, MaxCostField } from './goal-fields.tsx';
import styles from './new-backfill.module.css';

interface LimitsPanelProps {
  readonly pipeline: Pipeline;
  readonly draft: Draft;
  readonly onChange: (part: Partial<Draft>) => void;
  readonly problems: DraftProblems;
  /** Of the price book; null: there is none. */
  readonly currency: string | null;
}

/** How fast it may go. "As fast as possible" is not on offer: there is always a rate or a share. */
export function LimitsPanel({ pipeline, draft, onChange, problems, currency }: LimitsPanelProps) {
  const narrow = useMediaQuery('(max-width: 36em)') ?? false;
  const capacity = pipeline.capacity.eventsPerSecond;
  const maxRate = capacity === null ? 50_000 : Math.ceil(capacity / 5_000) * 5_000;
  return (
    <Panel
      title="Limits"
      hint={
        capacity === null
          ? 'The capacity of this pipeline has not been measured yet'
          : `Capacity: ${formatRate(capacity)}, ${capacityWords[pipeline.capacity.origin]}`
      }
    >
      <div className={styles.stack}>
        <SegmentedControl
          fullWidth
          orientation={narrow ? 'vertical' : 'horizontal'}
          aria-label="Limit by"
          value={draft.limitBy}
          onChange={(limitBy) => onChange(limitedBy(limitBy as Draft['limitBy'], draft))}
          data={[
            { value: 'default', label: `Default (${formatRatio(pipeline.replayShare)})` },
            { value: 'share', label: 'Share' },
            { value: 'rate', label: 'Rate' },
            { value: 'finish', label: 'Finish by' },
            { value: 'cost', label: 'At most' },
          ]}
        />
        {draft.limitBy === 'share' ? (
          <div className={styles.limit}>
            <Slider
              className={styles.slider}
              thumbLabel="Share of capacity, percent"
              min={0}
              max={100}
              value={draft.sharePercent ?? 0}
              onChange={(sharePercent) => onChange({ sharePercent })}
              label={(value) => `${value} %`}
              marks={[
                { value: 0, label: '0' },
                { value: 50, label: '50 %' },
                { value: 100, label: '100 %' },
              ]}
            />
            <NumberInput
              label="Share"
              suffix=" %"
              min={0}
              max={100}
              clampBehavior="none"
              value={draft.sharePercent ?? ''}
              error={problems.share}
              onChange={(value) => onChange({ sharePercent: typeof value === 'number' ? value : null })}
            />
          </div>
        ) : draft.limitBy === 'rate' ? (
          <div className={styles.limit}>
            <Slider
              className={styles.slider}
              thumbLabel="Rate limit, events per second"
              min={0}
              max={maxRate}
              step={maxRate / 200}
              value={Math.min(maxRate, draft.eventsPerSecond ?? 0)}
              onChange={(eventsPerSecond) => onChange({ eventsPerSecond: Math.round(eventsPerSecond) })}
              label={formatRate}
            />
            <NumberInput
              label="Rate limit"
              suffix=" events/s"
              thousandSeparator=","
              clampBehavior="none"
              value={draft.eventsPerSecond ?? ''}
              error={problems.rate}
              onChange={(value) => onChange({ eventsPerSecond: typeof value === 'number' ? value : null })}
            />
          </div>
        ) : draft.limitBy === 'finish' ? (
          <FinishByField draft={draft} onChange={onChange} problems={problems} />
        ) : draft.limitBy === 'cost' ? (
          <MaxCostField draft={draft} onChange={onChange} problems={problems} currency={currency} />
        ) : (
          <p className={styles.soft}>
            The share of capacity that this pipeline gives a backfill that sets none.
          </p>
        )}
        <div className={styles.limit}>
          <Autocomplete
            label="Subwindow"
            description="The unit of progress and retry, as ISO 8601 duration"
            data={['PT10S', 'PT1M', 'PT15M', 'PT1H', 'PT6H', 'P1D']}
            filter={({ options }) => options}
            value={draft.subwindow}
            error={problems.subwindow}
            onChange={(subwindow) => onChange({ subwindow })}
          />
          <NumberInput
            label="Concurrency"
            description="1 to 16"
            min={1}
            max={16}
            clampBehavior="none"
            value={draft.concurrency ?? ''}
            error={problems.concurrency}
            onChange={(value) => onChange({ concurrency: typeof value === 'number' ? value : null })}
          />
        </div>
        {currency === null ? null : (
          <TextInput
            label="Budget"
            description="Replay is paused, never cancelled, when it is spent; empty: none"
            inputMode="decimal"
            autoComplete="off"
            rightSection={<span className={styles.soft}>{currency}</span>}
            rightSectionWidth={52}
            value={draft.budget}
            error={problems.budget}
            onChange={(event) => onChange({ budget: event.currentTarget.value })}
          />
        )}
        <Checkbox
          label="Only on isolated workers"
          description="Its history is read by workers tagged isolated alone; until one has joined, it waits"
          checked={draft.isolated}
          onChange={(event) => onChange({ isolated: event.currentTarget.checked })}
        />
      </div>
    </Panel>
  );
}

const capacityWords: Readonly<Record<Pipeline['capacity']['origin'], string>> = {
  unknown: 'of unknown origin',
  calibrated: 'calibrated',
  refined: 'refined by what ran',
  set_by_hand: 'set by hand',
};
