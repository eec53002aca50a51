import type { Webhook } from '@spillway/shared/api/webhook';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { testWebhook, webhooksQuery } from '../api/webhooks.ts';

/** A receiver has ten seconds, and what is on its way before the test as long again. */
const WAIT_MS = 25_000;
const LOOK_EVERY_MS = 500;

/** Sends a test and looks until its outcome is there, or nobody can wait any longer. */
export function useTestMessage() {
  const queryClient = useQueryClient();
  const [waiting, setWaiting] = useState<ReadonlySet<string>>(new Set());
  const mark = (id: string, is: boolean) =>
    setWaiting((before) => {
      const after = new Set(before);
      if (is) after.add(id);
      else after.delete(id);
      return after;
    });
  const send = useMutation({
    mutationFn: async ({ id }: Webhook) => {
      mark(id, true);
      const { messageId } = await testWebhook(id);
      const untilMs = Date.now() + WAIT_MS;
      while (Date.now() < untilMs) {
        const webhooks = await queryClient.fetchQuery({ ...webhooksQuery, staleTime: 0 });
        const found = webhooks.find((webhook) => webhook.id === id);
        if (found === undefined || found.lastAttempt?.messageId === messageId) return;
        await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      }
    },
    onError: (error, { title }) => reportFailure(`The test of ${title}`, error),
    onSettled: (_, __, { id }) => mark(id, false),
  });
  return { waiting, send: (webhook: Webhook) => send.mutate(webhook) };
}
