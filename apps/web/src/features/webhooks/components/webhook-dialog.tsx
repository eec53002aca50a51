import { Button, Checkbox, Modal, Switch, TextInput } from '@mantine/core';
import type { Webhook } from '@spillway/shared/api/webhook';
import { type WebhookEvent, webhookEvents } from '@spillway/shared/webhooks/events';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import styles from '../../../components/form.module.css';
import { Refusal } from '../../../components/refusal.tsx';
import { SecretOnce } from '../../../components/secret-once.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { fieldRefusals } from '../../../lib/field-refusals.ts';
import { ProblemError } from '../../../lib/http.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';
import { createWebhook, patchWebhook, webhooksQuery } from '../api/webhooks.ts';
import {
  draftOf,
  emptyWebhook,
  type WebhookDraft,
  webhookBody,
  webhookPatch,
  webhookPointers,
  webhookProblems,
} from '../model/webhook-draft.ts';
import { eventWords, webhookDifferences } from '../model/webhook-words.ts';

/** Makes a webhook and shows its secret, this once. */
export function NewWebhookDialog({ onClose }: { readonly onClose: () => void }) {
  const refresh = useRefresh();
  const [draft, setDraft] = useState(emptyWebhook);
  const [intent] = useState(newIdempotencyKey);
  const make = useMutation({
    mutationFn: () => createWebhook(webhookBody(draft), intent),
    onSettled: refresh,
  });
  if (make.data !== undefined)
    return (
      <SecretOnce
        title={`Webhook “${make.data.title}” is made`}
        label="The secret of its signatures"
        secret={make.data.secret}
        onClose={onClose}
      />
    );
  return (
    <Modal opened onClose={onClose} title="Add a webhook">
      <WebhookForm
        draft={draft}
        onDraft={setDraft}
        isNew
        error={make.error}
        busy={make.isPending}
        submitWord="Add webhook"
        onSubmit={() => make.mutate()}
        onClose={onClose}
      />
    </Modal>
  );
}

export function EditWebhookDialog({
  webhook,
  onClose,
}: {
  /** As it was when the edit began: live updates do not touch an open dialog. */
  readonly webhook: Webhook;
  readonly onClose: () => void;
}) {
  const refresh = useRefresh();
  const [base, setBase] = useState(webhook);
  const [draft, setDraft] = useState(() => draftOf(webhook));
  const save = useMutation({
    mutationFn: (revision: number) => patchWebhook(base.id, webhookPatch(base, draft), revision),
    onSuccess: onClose,
    onSettled: refresh,
  });
  const current = staleBy(save.error);
  return (
    <Modal opened onClose={onClose} title={`Change “${base.title}”`}>
      {current === null ? (
        <WebhookForm
          draft={draft}
          onDraft={setDraft}
          shownUrl={base.url}
          error={save.error}
          busy={save.isPending}
          submitWord="Save"
          onSubmit={() => {
            if (Object.keys(webhookPatch(base, draft)).length === 0) onClose();
            else save.mutate(base.revision);
          }}
          onClose={onClose}
        />
      ) : (
        <StaleEdit
          what="this webhook"
          by={undefined}
          changes={webhookDifferences(base, current)}
          onMine={() => save.mutate(current.revision)}
          onTheirs={() => {
            setBase(current);
            setDraft(draftOf(current));
            save.reset();
          }}
        />
      )}
    </Modal>
  );
}

interface WebhookFormProps {
  readonly draft: WebhookDraft;
  readonly onDraft: (draft: WebhookDraft) => void;
  readonly isNew?: boolean;
  /** Where it is sent to now, without what may be a token. */
  readonly shownUrl?: string;
  readonly error: unknown;
  readonly busy: boolean;
  readonly submitWord: string;
  readonly onSubmit: () => void;
  readonly onClose: () => void;
}

function WebhookForm({
  draft,
  onDraft,
  isNew = false,
  shownUrl,
  error,
  busy,
  submitWord,
  onSubmit,
  onClose,
}: WebhookFormProps) {
  const [tried, setTried] = useState(false);
  const mine = webhookProblems(draft, isNew);
  const problems = { ...(tried ? mine : {}), ...fieldRefusals(error, webhookPointers) };
  const change = (part: Partial<WebhookDraft>) => onDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(mine).length === 0) onSubmit();
  };
  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <TextInput
        label="Name"
        data-autofocus
        maxLength={100}
        autoComplete="off"
        value={draft.title}
        error={problems.title}
        onChange={(event) => change({ title: event.currentTarget.value })}
      />
      <TextInput
        label={isNew ? 'Address' : 'New address'}
        description={
          isNew
            ? 'https://…; hosts of this network have to be named in SPILLWAY_WEBHOOK_HOSTS'
            : `Empty: it stays ${shownUrl}`
        }
        autoComplete="off"
        spellCheck={false}
        value={draft.url}
        error={problems.url}
        onChange={(event) => change({ url: event.currentTarget.value })}
      />
      <Checkbox.Group
        label="It is told when"
        value={[...draft.events]}
        error={problems.events}
        onChange={(events) => change({ events: events as WebhookEvent[] })}
      >
        <div className={styles.choices}>
          {webhookEvents.map((event) => (
            <Checkbox key={event} value={event} label={eventWords[event]} />
          ))}
        </div>
      </Checkbox.Group>
      <Switch
        label="On"
        description="While it is off nothing is sent, and nothing is kept for later"
        checked={draft.enabled}
        onChange={(event) => change({ enabled: event.currentTarget.checked })}
      />
      <Refusal error={error} />
      <div className={styles.buttons}>
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button type="submit" loading={busy}>
          {submitWord}
        </Button>
      </div>
    </form>
  );
}

function useRefresh(): () => Promise<void> {
  const queryClient = useQueryClient();
  return () => queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey });
}

/** The webhook as somebody else has left it; null: nobody has touched it. */
function staleBy(error: unknown): Webhook | null {
  if (!(error instanceof ProblemError) || error.status !== 412) return null;
  return (error.problem.current as Webhook | undefined) ?? null;
}
