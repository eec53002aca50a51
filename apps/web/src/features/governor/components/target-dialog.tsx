import { Button, Modal, NumberInput, SegmentedControl } from '@mantine/core';
import type { FailMode, MeasuredSignal, Signal, SignalTarget } from '@spillway/shared/api/governor';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { type FormEvent, useState } from 'react';
import styles from '../../../components/form.module.css';
import { Refusal } from '../../../components/refusal.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { useConfiguredBy, usePipelineEdit } from '../../pipeline/components/use-pipeline-edit.ts';
import { formatSignal, unitOf } from '../model/signal-words.ts';

interface TargetDialogProps {
  readonly pipeline: Pipeline;
  readonly signal: Signal;
  readonly name: MeasuredSignal;
  readonly onClose: () => void;
}

const untargeted: SignalTarget = { target: null, failMode: 'bad' };

/** The target of one measured signal, and what it counts as while it cannot be read. */
export function TargetDialog({ pipeline, signal, name, onClose }: TargetDialogProps) {
  // As it was when the dialog opened: live updates do not touch an open dialog.
  const [base] = useState(pipeline);
  const [draft, setDraft] = useState<SignalTarget>(base.signals[name] ?? untargeted);
  const server = usePipelineEdit((before, current) => changeOf(name, before, current), onClose);
  const marker = useConfiguredBy(pipeline.id, true);
  const edit = { base, patch: { signals: { [name]: draft } } };
  const problem = draft.target !== null && !(draft.target > 0) ? 'More than 0, or empty for none' : undefined;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem === undefined) server.save(edit);
  };
  const unit = unitOf(name);
  return (
    <Modal opened onClose={onClose} title={`Target of ${signal.title}`}>
      <form className={styles.form} onSubmit={submit}>
        <p className={styles.soft}>
          Now {formatSignal(name, signal.value)}. Beyond its target replay is cut, down to the floor; a fifth
          within it, replay may grow again.
        </p>
        <NumberInput
          label={signal.worseWhen === 'above' ? 'Target: at most' : 'Target: at least'}
          description="Empty: shown, but it does not govern"
          suffix={unit === '' || unit === '0 to 1' ? '' : ` ${unit}`}
          thousandSeparator=","
          allowNegative={false}
          clampBehavior="none"
          data-autofocus
          value={draft.target ?? ''}
          error={problem}
          onChange={(value) => setDraft({ ...draft, target: typeof value === 'number' ? value : null })}
        />
        <div>
          <p className={styles.label} id="fail-mode">
            While it cannot be read
          </p>
          <SegmentedControl
            fullWidth
            aria-labelledby="fail-mode"
            data={[
              { value: 'bad', label: 'It counts as bad' },
              { value: 'ignore', label: 'It is left out' },
            ]}
            value={draft.failMode}
            onChange={(failMode) => setDraft({ ...draft, failMode: failMode as FailMode })}
          />
        </div>
        <Refusal error={server.refusal} />
        {server.conflict === null ? null : (
          <StaleEdit
            what="this signal"
            by={marker}
            changes={server.conflict.changes}
            onMine={() => server.saveOver(edit)}
            onTheirs={onClose}
          />
        )}
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Keep as it is
          </Button>
          <Button type="submit" loading={server.busy} disabled={problem !== undefined}>
            Save target
          </Button>
        </div>
      </form>
    </Modal>
  );
}

/** Only this signal counts: a change of another is nobody's conflict. */
function changeOf(name: MeasuredSignal, before: Pipeline, current: Pipeline): string[] {
  const was = before.signals[name] ?? untargeted;
  const is = current.signals[name] ?? untargeted;
  const target = (value: number | null) => (value === null ? 'none' : formatSignal(name, value));
  return [
    ...(was.target === is.target ? [] : [`target: ${target(was.target)} → ${target(is.target)}`]),
    ...(was.failMode === is.failMode ? [] : [`while unknown: ${was.failMode} → ${is.failMode}`]),
  ];
}
