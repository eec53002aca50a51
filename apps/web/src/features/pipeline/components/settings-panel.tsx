import { Button, NumberInput, SegmentedControl, Textarea } from '@mantine/core';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { externalConsequence, routeConsequence } from '@spillway/shared/governor/route';
import { type FormEvent, useState } from 'react';
import styles from '../../../components/form.module.css';
import { Panel } from '../../../components/panel.tsx';
import { Refusal } from '../../../components/refusal.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { fieldRefusals } from '../../../lib/field-refusals.ts';
import { formatRate } from '../../../lib/format.ts';
import {
  describeSettingsChange,
  type Settings,
  type SettingsProblems,
  settingAnchors,
  settingPointers,
  settingsOf,
  settingsPatch,
  settingsProblems,
  settingText,
  settingTitles,
} from '../model/settings.ts';
import { useConfiguredBy, usePipelineEdit } from './use-pipeline-edit.ts';

/** What the governor may use, and the route with the reason for it. Admins edit, everybody reads. */
export function SettingsPanel({ pipeline }: { readonly pipeline: Pipeline }) {
  return (
    <Panel title="Settings" hint="What the governor may use, in parts of capacity">
      {pipeline.allowedActions.includes('configure') ? (
        <SettingsForm pipeline={pipeline} />
      ) : (
        <SettingsFacts pipeline={pipeline} />
      )}
    </Panel>
  );
}

function SettingsFacts({ pipeline }: { readonly pipeline: Pipeline }) {
  const settings = settingsOf(pipeline);
  const names = (Object.keys(settingTitles) as (keyof Settings)[]).filter(
    (name) => settings[name] !== undefined,
  );
  return (
    <dl className={styles.facts}>
      {names.map((name) => (
        <div
          key={name}
          id={settingAnchors[name]}
          className={name === 'routeDecision' ? styles.wide : undefined}
        >
          <dt>{settingTitles[name]}</dt>
          <dd>
            {settingText(name, settings, pipeline)}
            {name === 'capacityEventsPerSecond' && settings[name] === null ? nowMeasured(pipeline) : ''}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function nowMeasured({ kind, capacity: { eventsPerSecond } }: Pipeline): string {
  // Nothing of what its consumers take is seen.
  if (kind === 'external') return '';
  return eventsPerSecond === null ? ', not known yet' : `, now ${formatRate(Math.round(eventsPerSecond))}`;
}

interface Edit {
  readonly base: Pipeline;
  readonly settings: Settings;
}

function SettingsForm({ pipeline }: { readonly pipeline: Pipeline }) {
  // The draft belongs to the person: live updates never touch it.
  const [edit, setEdit] = useState<Edit | null>(null);
  const settings = edit?.settings ?? settingsOf(pipeline);
  const server = usePipelineEdit(
    (before, current) => describeSettingsChange(settingsOf(before), settingsOf(current), current),
    () => setEdit(null),
  );
  const marker = useConfiguredBy(pipeline.id, edit !== null);
  const change = (part: Partial<Settings>) =>
    setEdit((before) => ({
      base: before?.base ?? pipeline,
      settings: { ...(before?.settings ?? settingsOf(pipeline)), ...part },
    }));
  const patch = edit === null ? {} : settingsPatch(settingsOf(edit.base), edit.settings);
  const problems: SettingsProblems = {
    ...settingsProblems(settings),
    ...fieldRefusals(server.refusal, settingPointers),
  };
  const ready = Object.keys(patch).length > 0 && Object.keys(settingsProblems(settings)).length === 0;
  const discard = () => {
    setEdit(null);
    server.reset();
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edit !== null && ready) server.save({ patch, base: edit.base });
  };
  const number = (
    name: keyof Settings,
    props: { suffix: string; description: string; decimals?: number },
  ) => (
    <NumberInput
      id={settingAnchors[name]}
      label={settingTitles[name]}
      description={props.description}
      suffix={props.suffix}
      thousandSeparator=","
      allowNegative={false}
      decimalScale={props.decimals ?? 0}
      clampBehavior="none"
      value={(settings[name] as number | null) ?? ''}
      error={problems[name]}
      onChange={(value) => change({ [name]: typeof value === 'number' ? value : null })}
    />
  );
  const { capacity } = pipeline;
  return (
    <form className={styles.form} onSubmit={submit}>
      <div className={styles.fields}>
        {number('capacityEventsPerSecond', {
          suffix: ' events/s',
          description:
            pipeline.kind === 'external'
              ? 'What your consumers take; empty: unknown'
              : capacity.measuredEventsPerSecond === null
                ? 'Empty: measured'
                : `Empty: ${formatRate(Math.round(capacity.measuredEventsPerSecond))}`,
        })}
        {number('replaySharePercent', {
          suffix: ' %',
          description: 'A backfill without a limit',
          decimals: 1,
        })}
        {number('replayFloorPercent', {
          suffix: ' %',
          description: 'Kept whatever live needs',
          decimals: 1,
        })}
        {number('headroomPercent', { suffix: ' %', description: 'Left free beside live', decimals: 1 })}
        {number('maxSourcesReplaying', { suffix: '', description: 'Slots of all backfills together' })}
        {number('highWaterMark', { suffix: ' entries', description: 'Here the reader stops' })}
        {number('reconnectStaggerSeconds', {
          suffix: ' s',
          description: 'A reconnect waits part of it',
          decimals: 3,
        })}
        {pipeline.demo === null
          ? null
          : number('demoEventsPerSecond', { suffix: ' events/s', description: 'What the feeds publish' })}
      </div>
      <div className={styles.fields}>
        <div id={settingAnchors.routeKind}>
          <p className={styles.label} id="route-label">
            Route of replay
          </p>
          <SegmentedControl
            fullWidth
            aria-labelledby="route-label"
            data={[
              { value: 'separate', label: 'Separate' },
              { value: 'shared', label: 'Shared' },
            ]}
            value={settings.routeKind}
            onChange={(kind) => change({ routeKind: kind as Settings['routeKind'] })}
          />
          <p className={styles.soft} style={{ marginTop: 6 }}>
            {pipeline.kind === 'external'
              ? externalConsequence[settings.routeKind]
              : routeConsequence(settings.routeKind, pipeline.signals.liveFreshnessMsP99?.target ?? null)}
            {problems.routeKind === undefined ? null : ` ${problems.routeKind}`}
          </p>
        </div>
        <Textarea
          label="Decision"
          description="Why this route; kept with it"
          autosize
          minRows={2}
          maxLength={500}
          value={settings.routeDecision}
          error={problems.routeDecision}
          onChange={(event) => change({ routeDecision: event.currentTarget.value })}
        />
      </div>
      <Refusal error={server.refusal} />
      <div className={styles.buttons}>
        {edit === null ? null : (
          <Button variant="default" onClick={discard}>
            Discard
          </Button>
        )}
        <Button type="submit" disabled={!ready} loading={server.busy}>
          Save settings
        </Button>
      </div>
      {server.conflict === null || edit === null ? null : (
        <StaleEdit
          what="this pipeline"
          by={marker}
          changes={server.conflict.changes}
          onMine={() => server.saveOver({ patch, base: edit.base })}
          onTheirs={discard}
        />
      )}
    </form>
  );
}
