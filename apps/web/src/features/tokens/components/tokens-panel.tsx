import { Button, Skeleton } from '@mantine/core';
import type { Token } from '@spillway/shared/api/session';
import { IconAlertTriangle, IconCircleCheck, IconClockExclamation, IconPlus } from '@tabler/icons-react';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Badge } from '../../../components/badge.tsx';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import { Empty } from '../../../components/empty.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Inset, Panel } from '../../../components/panel.tsx';
import { CellNote, type Column, RowTable } from '../../../components/row-table.tsx';
import { reportFailure } from '../../../components/undo-toast.tsx';
import { formatSpan } from '../../../lib/format.ts';
import { formatDay } from '../../../lib/instant.ts';
import { useNow } from '../../../lib/use-now.ts';
import { revokeToken, tokensQuery } from '../api/tokens.ts';
import { expiryOf } from '../model/expiry.ts';
import { TokenDialog } from './token-dialog.tsx';

const looks = {
  valid: { tone: 'good', icon: IconCircleCheck, word: 'Valid' },
  ends_soon: { tone: 'warn', icon: IconClockExclamation, word: 'Ends soon' },
  expired: { tone: 'quiet', icon: IconAlertTriangle, word: 'Expired' },
} as const;

/** Who may use the API besides people who sign in. For admins. */
export function TokensPanel() {
  const queryClient = useQueryClient();
  const tokens = useQuery(tokensQuery);
  const nowMs = useNow();
  const [making, setMaking] = useState(false);
  const [leaving, setLeaving] = useState<Token | null>(null);
  const revoke = useMutation({
    mutationFn: (token: Token) => revokeToken(token.id),
    onError: (error, { name }) => reportFailure(`Revoking ${name}`, error),
    onSettled: () => queryClient.invalidateQueries({ queryKey: tokensQuery.queryKey }),
  });
  const columns: readonly Column<Token>[] = [
    {
      title: 'Token',
      head: true,
      cell: ({ name, id, createdBy, createdAt }) => (
        <>
          {name}
          <CellNote>
            {id} · made by {createdBy}, {formatDay(createdAt)}
          </CellNote>
        </>
      ),
    },
    { title: 'Role', cell: ({ role }) => <span>{role}</span> },
    {
      title: 'Expires',
      cell: ({ expiresAt }) => {
        const { state, words } = expiryOf(expiresAt, nowMs);
        return (
          <span>
            <Badge tone={looks[state].tone} icon={looks[state].icon} state={state}>
              {looks[state].word}
            </Badge>
            <CellNote>
              {words}, {formatDay(expiresAt)}
            </CellNote>
          </span>
        );
      },
    },
    {
      title: 'Last used',
      cell: ({ lastUsedAt }) => (
        <span>
          {lastUsedAt === null ? 'never' : `${formatSpan(Math.max(0, nowMs - Date.parse(lastUsedAt)))} ago`}
        </span>
      ),
    },
    {
      title: 'Actions',
      end: true,
      cell: (token) => (
        <Button
          size="xs"
          variant="default"
          aria-label={`Revoke ${token.name}`}
          loading={revoke.isPending && revoke.variables.id === token.id}
          onClick={() => setLeaving(token)}
        >
          Revoke
        </Button>
      ),
    },
  ];
  return (
    <Panel
      id="tokens"
      title="Tokens"
      hint="For automation and workers; each is shown once, when it is made"
      flush
      aside={
        <Button
          variant="default"
          leftSection={<IconPlus aria-hidden size={16} />}
          onClick={() => setMaking(true)}
        >
          Make a token
        </Button>
      }
    >
      {tokens.isLoadingError ? (
        <Inset>
          <Failed what="The tokens" error={tokens.error} onRetry={() => void tokens.refetch()} />
        </Inset>
      ) : tokens.data === undefined ? (
        <Inset>
          <Skeleton height={100} />
        </Inset>
      ) : tokens.data.length === 0 ? (
        <Empty title="There is no token">
          A script or a worker on another machine needs one. The admin token of this installation is not
          listed: it is SPILLWAY_ADMIN_TOKEN, or else in the file admin-token of the data directory.
        </Empty>
      ) : (
        <RowTable
          caption="Tokens"
          columns={columns}
          rows={tokens.data}
          idOf={({ id }) => id}
          stale={tokens.isError}
        />
      )}
      {making ? <TokenDialog onClose={() => setMaking(false)} /> : null}
      <ConsequencesDialog
        opened={leaving !== null}
        title={leaving === null ? '' : `Revoke the token “${leaving.name}”?`}
        consequences={[
          'Whoever uses it is refused from now on, open event streams within five seconds.',
          'It cannot be taken back: a new token has to be made and handed out.',
        ]}
        safeWord="Keep it"
        actWord="Revoke token"
        onClose={() => setLeaving(null)}
        onAct={() => {
          if (leaving !== null) revoke.mutate(leaving);
          setLeaving(null);
        }}
      />
    </Panel>
  );
}
