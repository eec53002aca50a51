import { Button, Modal, NumberInput, SegmentedControl, Textarea, TextInput } from '@mantine/core';
import type { FailMode } from '@spillway/shared/api/governor';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import styles from '../../../components/form.module.css';
import { Refusal } from '../../../components/refusal.tsx';
import { fieldRefusals } from '../../../lib/field-refusals.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';
import { createProbe, probesQuery } from '../api/probes.ts';
import {
  emptyProbe,
  kindWords,
  type ProbeDraft,
  type ProbeKind,
  type ProbeProblems,
  probeBody,
  probePointers,
  probeProblems,
} from '../model/probe-draft.ts';

/** A signal of one's own: one number, read again and again. */
export function ProbeDialog({
  pipelineId,
  onClose,
}: {
  readonly pipelineId: string;
  readonly onClose: () => void;
}) {
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState(emptyProbe);
  const [tried, setTried] = useState(false);
  const add = useMutation({
    mutationFn: () => createProbe(pipelineId, probeBody(draft), newIdempotencyKey()),
    onSuccess: onClose,
    onSettled: () => queryClient.invalidateQueries({ queryKey: probesQuery(pipelineId).queryKey }),
  });
  const mine = probeProblems(draft);
  const problems: ProbeProblems = { ...(tried ? mine : {}), ...fieldRefusals(add.error, probePointers) };
  const change = (part: Partial<ProbeDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(mine).length === 0) add.mutate();
  };
  return (
    <Modal opened onClose={onClose} title="Add a probe">
      <form className={styles.form} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          data-autofocus
          maxLength={100}
          value={draft.title}
          error={problems.title}
          onChange={(event) => change({ title: event.currentTarget.value })}
        />
        <Choice
          label="Kind"
          data={(Object.keys(kindWords) as ProbeKind[]).map((kind) => ({
            value: kind,
            label: kindWords[kind],
          }))}
          value={draft.kind}
          onChange={(kind) => change({ kind: kind as ProbeKind })}
        />
        <TextInput
          label="Address"
          description={
            draft.kind === 'sql'
              ? 'postgres://…; its password is never shown again'
              : draft.kind === 'promql'
                ? 'Of the Prometheus server'
                : 'Of the JSON document'
          }
          autoComplete="off"
          spellCheck={false}
          value={draft.url}
          error={problems.url}
          onChange={(event) => change({ url: event.currentTarget.value })}
        />
        {draft.kind === 'http_json' ? (
          <TextInput
            label="Pointer"
            description="JSON pointer to the number, e.g. /queue/depth; empty: the whole document"
            spellCheck={false}
            value={draft.pointer}
            error={problems.pointer}
            onChange={(event) => change({ pointer: event.currentTarget.value })}
          />
        ) : (
          <Textarea
            label="Query"
            description={
              draft.kind === 'sql' ? 'One statement with one number' : 'An instant query with one sample'
            }
            autosize
            minRows={2}
            spellCheck={false}
            value={draft.query}
            error={problems.query}
            onChange={(event) => change({ query: event.currentTarget.value })}
          />
        )}
        <div className={styles.fields}>
          <NumberInput
            label="Target"
            placeholder="none: it does not govern"
            allowNegative={false}
            clampBehavior="none"
            value={draft.target ?? ''}
            error={problems.target}
            onChange={(value) => change({ target: numberOf(value) })}
          />
          <Choice
            label="It is worse when it is"
            data={[
              { value: 'above', label: 'above' },
              { value: 'below', label: 'below' },
            ]}
            value={draft.worseWhen}
            onChange={(worseWhen) => change({ worseWhen: worseWhen as ProbeDraft['worseWhen'] })}
          />
          <NumberInput
            label="Read every"
            suffix=" s"
            allowNegative={false}
            clampBehavior="none"
            value={draft.intervalSeconds ?? ''}
            error={problems.intervalSeconds}
            onChange={(value) => change({ intervalSeconds: numberOf(value) })}
          />
          <NumberInput
            label="Give up after"
            suffix=" s"
            allowNegative={false}
            clampBehavior="none"
            value={draft.timeoutSeconds ?? ''}
            error={problems.timeoutSeconds}
            onChange={(value) => change({ timeoutSeconds: numberOf(value) })}
          />
        </div>
        <Choice
          label="While it cannot be read"
          data={[
            { value: 'bad', label: 'It counts as bad' },
            { value: 'ignore', label: 'It is left out' },
          ]}
          value={draft.failMode}
          onChange={(failMode) => change({ failMode: failMode as FailMode })}
        />
        <Refusal error={add.error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={add.isPending}>
            Add probe
          </Button>
        </div>
      </form>
    </Modal>
  );
}

function Choice({
  label,
  ...control
}: {
  readonly label: string;
  readonly data: { value: string; label: string }[];
  readonly value: string;
  readonly onChange: (value: string) => void;
}) {
  return (
    <div>
      <p className={styles.label} aria-hidden>
        {label}
      </p>
      <SegmentedControl fullWidth aria-label={label} {...control} />
    </div>
  );
}

function numberOf(value: string | number): number | null {
  return typeof value === 'number' ? value : null;
}
