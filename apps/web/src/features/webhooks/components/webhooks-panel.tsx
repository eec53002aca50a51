import { Button, Skeleton } from '@mantine/core';
import type { Webhook } from '@spillway/shared/api/webhook';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconClockPause,
  IconPlayerPause,
  IconPlus,
  IconRefreshAlert,
} from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Badge } from '../../../components/badge.tsx';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { useNow } from '../../../lib/use-now.ts';
import { deleteWebhook, webhooksQuery } from '../api/webhooks.ts';
import {
  attemptText,
  type DeliveryState,
  deliveryOf,
  eventsText,
  queueText,
} from '../model/webhook-words.ts';
import { useTestMessage } from './use-test-message.ts';
import { EditWebhookDialog, NewWebhookDialog } from './webhook-dialog.tsx';
import styles from './webhooks.module.css';

const looks = {
  off: { tone: 'quiet', icon: IconPlayerPause, word: 'Off' },
  unsent: { tone: 'quiet', icon: IconClockPause, word: 'Nothing sent yet' },
  delivered: { tone: 'good', icon: IconCircleCheck, word: 'Delivered' },
  retrying: { tone: 'warn', icon: IconRefreshAlert, word: 'Retrying' },
  given_up: { tone: 'bad', icon: IconAlertTriangle, word: 'Not delivered' },
} as const satisfies Record<DeliveryState, object>;

type Doing = { readonly what: 'add' } | { readonly what: 'edit' | 'delete'; readonly webhook: Webhook };

/** Which other systems are told of alerts and of ends, and whether that works. For admins. */
export function WebhooksPanel() {
  const queryClient = useQueryClient();
  const webhooks = useQuery(webhooksQuery);
  const nowMs = useNow();
  const test = useTestMessage();
  const [doing, setDoing] = useState<Doing | null>(null);
  const done = () => setDoing(null);
  const remove = useMutation({
    mutationFn: (webhook: Webhook) => deleteWebhook(webhook.id),
    onError: (error, { title }) => reportFailure(`Deleting ${title}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: webhooksQuery.queryKey }),
  });
  const columns: readonly Column<Webhook>[] = [
    {
      title: 'Webhook',
      head: true,
      cell: ({ title, url, events }) => (
        <>
          {title}
          <CellNote>{url}</CellNote>
          <CellNote>Told: {eventsText(events)}</CellNote>
        </>
      ),
    },
    {
      title: 'Last delivery',
      cell: (webhook) => {
        const state = deliveryOf(webhook);
        const { enabled, lastAttempt } = webhook;
        const queue = queueText(webhook, nowMs);
        return (
          <span>
            <Badge tone={looks[state].tone} icon={looks[state].icon} state={state}>
              {looks[state].word}
            </Badge>
            {lastAttempt === null ? null : <CellNote>{attemptText(lastAttempt, nowMs)}</CellNote>}
            {enabled || state === 'off' ? null : <CellNote>It is off: nothing is sent but tests.</CellNote>}
            {queue === null ? null : <CellNote>{queue}</CellNote>}
          </span>
        );
      },
    },
    {
      title: 'Actions',
      end: true,
      cell: (webhook) => (
        <span className={styles.verbs}>
          <Button
            size="xs"
            variant="default"
            aria-label={`Send a test to ${webhook.title}`}
            loading={test.waiting.has(webhook.id)}
            onClick={() => test.send(webhook)}
          >
            Send a test
          </Button>
          <Button
            size="xs"
            variant="default"
            aria-label={`Change ${webhook.title}`}
            onClick={() => setDoing({ what: 'edit', webhook })}
          >
            Change
          </Button>
          <Button
            size="xs"
            variant="default"
            aria-label={`Delete ${webhook.title}`}
            loading={remove.isPending && remove.variables.id === webhook.id}
            onClick={() => setDoing({ what: 'delete', webhook })}
          >
            Delete
          </Button>
        </span>
      ),
    },
  ];
  return (
    <Panel
      title="Webhooks"
      hint="Signed messages (Standard Webhooks, CloudEvents) to other systems, at least once each"
      flush
      aside={
        <Button
          variant="default"
          leftSection={<IconPlus aria-hidden size={16} />}
          onClick={() => setDoing({ what: 'add' })}
        >
          Add a webhook
        </Button>
      }
    >
      {webhooks.isLoadingError ? (
        <Inset>
          <Failed what="The webhooks" error={webhooks.error} onRetry={() => void webhooks.refetch()} />
        </Inset>
      ) : webhooks.data === undefined ? (
        <Inset>
          <Skeleton height={100} />
        </Inset>
      ) : webhooks.data.length === 0 ? (
        <Empty title="Nobody is told">
          A webhook tells a pager or a chat of each alert, and of how each backfill ended, also while nobody
          looks at this page.
        </Empty>
      ) : (
        <RowTable
          caption="Webhooks"
          columns={columns}
          rows={webhooks.data}
          idOf={({ id }) => id}
          stale={webhooks.isError}
        />
      )}
      {doing?.what === 'add' ? <NewWebhookDialog onClose={done} /> : null}
      {doing?.what === 'edit' ? <EditWebhookDialog webhook={doing.webhook} onClose={done} /> : null}
      <ConsequencesDialog
        opened={doing?.what === 'delete'}
        title={doing?.what === 'delete' ? `Delete the webhook “${doing.webhook.title}”?` : ''}
        consequences={
          doing?.what === 'delete'
            ? [
                'Its receiver is told nothing any more.',
                doing.webhook.queue.length === 0
                  ? 'Nothing waits for it now.'
                  : `What waits for it is removed: ${doing.webhook.queue.length} ${doing.webhook.queue.length === 1 ? 'message' : 'messages'}.`,
                'Its secret is lost: one made anew has another.',
              ]
            : []
        }
        safeWord="Keep it"
        actWord="Delete webhook"
        onClose={done}
        onAct={() => {
          if (doing?.what === 'delete') remove.mutate(doing.webhook);
          done();
        }}
      />
    </Panel>
  );
}
