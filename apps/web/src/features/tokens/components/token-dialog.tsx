import { Button, Modal, NumberInput, Radio, TextInput } from '@mantine/core';
import type { Role } from '@spillway/shared/api/session';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import styles from '../../../components/form.module.css';
import { Refusal } from '../../../components/refusal.tsx';
import { SecretOnce } from '../../../components/secret-once.tsx';
import { fieldRefusals } from '../../../lib/field-refusals.ts';
import { newIdempotencyKey } from '../../../lib/idempotency-key.ts';
import { createToken, tokensQuery } from '../api/tokens.ts';
import {
  emptyToken,
  roleWords,
  type TokenDraft,
  tokenBody,
  tokenPointers,
  tokenProblems,
} from '../model/token-draft.ts';

/** Makes a token, and shows it: this once. */
export function TokenDialog({ onClose }: { readonly onClose: () => void }) {
  const queryClient = useQueryClient();
  const [draft, setDraft] = useState(emptyToken);
  const [tried, setTried] = useState(false);
  const [intent] = useState(newIdempotencyKey);
  const make = useMutation({
    mutationFn: () => createToken(tokenBody(draft), intent),
    onSettled: () => queryClient.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const mine = tokenProblems(draft);
  const problems = { ...(tried ? mine : {}), ...fieldRefusals(make.error, tokenPointers) };
  const change = (part: Partial<TokenDraft>) => setDraft({ ...draft, ...part });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (Object.keys(mine).length === 0) make.mutate();
  };
  if (make.data !== undefined)
    return (
      <SecretOnce
        title={`Token “${make.data.name}” is made`}
        label="The token"
        secret={make.data.token}
        onClose={onClose}
      />
    );
  return (
    <Modal opened onClose={onClose} title="Make a token">
      <form className={styles.form} onSubmit={submit} noValidate>
        <TextInput
          label="Name"
          data-autofocus
          maxLength={100}
          autoComplete="off"
          value={draft.name}
          error={problems.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        <Radio.Group
          label="Role"
          value={draft.role}
          error={problems.role}
          onChange={(role) => change({ role: role as Role })}
        >
          <div className={styles.choices}>
            {(Object.keys(roleWords) as Role[]).map((role) => (
              <Radio key={role} value={role} label={roleWords[role]} />
            ))}
          </div>
        </Radio.Group>
        <NumberInput
          label="Expires in"
          suffix=" days"
          w={180}
          allowNegative={false}
          allowDecimal={false}
          clampBehavior="none"
          value={draft.expiresInDays ?? ''}
          error={problems.expiresInDays}
          onChange={(value) => change({ expiresInDays: typeof value === 'number' ? value : null })}
        />
        <Refusal error={make.error} />
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Close
          </Button>
          <Button type="submit" loading={make.isPending}>
            Make token
          </Button>
        </div>
      </form>
    </Modal>
  );
}
