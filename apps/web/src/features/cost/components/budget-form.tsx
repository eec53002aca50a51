import { Button, TextInput } from '@mantine/core';
import type { Backfill } from '@spillway/shared/api/backfill';
import type { Money } from '@spillway/shared/api/primitives';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Refusal } from '../../../components/refusal.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { ProblemError } from '../../../lib/http.ts';
import { parseTypedMoney } from '../../../lib/money.ts';
import { backfillKeys } from '../../backfill/api/keys.ts';
import { throttleBackfill } from '../../backfill/api/throttle-backfill.ts';
import { useOvertaken } from '../../backfill/components/use-overtaken.ts';
import styles from './cost.module.css';

/** The budget of a backfill that has not ended: raising it lets a paused one go on, an empty one takes it away. */
export function BudgetForm({
  backfill,
  currency,
}: {
  readonly backfill: Backfill;
  readonly currency: string;
}) {
  const queryClient = useQueryClient();
  const limit = backfill.limits.budget;
  // The draft belongs to the person: live updates never touch it.
  const [edit, setEdit] = useState<{ readonly text: string; readonly base: Backfill } | null>(null);
  const [conflict, setConflict] = useState<Backfill | null>(null);
  const overtaken = useOvertaken(edit?.base, conflict);
  const text = edit?.text ?? limit?.amount ?? '';
  const budget: Money | null = parseTypedMoney(text, limit?.currency ?? currency);
  const wrong = text.trim() !== '' && budget === null;
  const set = useMutation({
    mutationFn: (revision: number) => throttleBackfill(backfill.id, { budget }, revision),
    onSuccess: () => {
      setEdit(null);
      setConflict(null);
    },
    onError: (error) => {
      if (!(error instanceof ProblemError) || error.status !== 412 || edit === null) return;
      const current = error.problem.current as Backfill | undefined;
      if (current === undefined) return;
      if (current.limits.budget?.amount === edit.base.limits.budget?.amount) set.mutate(current.revision);
      else setConflict(current);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: backfillKeys.one(backfill.id) }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (edit !== null && !wrong) set.mutate(edit.base.revision);
  };
  const refusal = set.error instanceof ProblemError && set.error.status === 412 ? null : set.error;
  const held = backfill.holds.some(({ reason }) => reason === 'budget');
  return (
    <form id="budget" className={styles.stack} style={{ gap: 8 }} onSubmit={submit}>
      <div className={styles.row}>
        <TextInput
          label="Budget"
          description={held ? 'Raise it, and replay goes on' : 'Empty: none'}
          w={190}
          inputMode="decimal"
          autoComplete="off"
          rightSection={<span className={styles.soft}>{limit?.currency ?? currency}</span>}
          rightSectionWidth={48}
          value={text}
          error={wrong ? 'Write an amount above 0, e.g. 5.00.' : null}
          onChange={(event) => {
            const typed = event.currentTarget.value;
            setEdit((before) => ({ text: typed, base: before?.base ?? backfill }));
          }}
        />
        <Button type="submit" variant="default" disabled={edit === null || wrong} loading={set.isPending}>
          Set budget
        </Button>
      </div>
      <Refusal error={refusal} />
      {conflict === null || overtaken === null ? null : (
        <StaleEdit
          what="this backfill"
          {...overtaken}
          onMine={() => set.mutate(conflict.revision)}
          onTheirs={() => {
            setConflict(null);
            setEdit(null);
            set.reset();
          }}
        />
      )}
    </form>
  );
}
