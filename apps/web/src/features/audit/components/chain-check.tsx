import { Button } from '@mantine/core';
import { IconLinkOff, IconShieldCheck } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { Badge } from '../../../components/badge.tsx';
import { Failed } from '../../../components/failed.tsx';
import { Panel } from '../../../components/panel.tsx';
import { formatClock } from '../../../lib/instant.ts';
import { verifyAudit } from '../api/get-audit.ts';
import { verdictWords } from '../model/verdict-words.ts';
import styles from './audit.module.css';

/** Each entry is sealed with the one before it; whether that still holds is computed anew when somebody asks. */
export function ChainCheck() {
  const check = useMutation({
    mutationFn: async () => ({ verdict: await verifyAudit(), atMs: Date.now() }),
  });
  const { data } = check;
  return (
    <Panel
      title="The chain"
      hint="Each entry holds the hash of the one before it: what is changed or removed later shows"
      aside={
        <Button
          variant="default"
          leftSection={<IconShieldCheck aria-hidden size={16} />}
          loading={check.isPending}
          onClick={() => check.mutate()}
        >
          Verify the chain
        </Button>
      }
    >
      {check.isError ? (
        <Failed what="The verification" error={check.error} onRetry={() => check.mutate()} />
      ) : (
        <p className={styles.verdict} role="status">
          {data === undefined ? (
            <span className={styles.soft}>Not verified since this page was opened.</span>
          ) : (
            <>
              <Badge
                tone={data.verdict.intact ? 'good' : 'bad'}
                icon={data.verdict.intact ? IconShieldCheck : IconLinkOff}
                state={data.verdict.intact ? 'intact' : 'broken'}
              >
                {data.verdict.intact ? 'Intact' : 'Broken'}
              </Badge>
              <span>{verdictWords(data.verdict)}</span>
              <span className={styles.soft}>Verified at {formatClock(data.atMs)} UTC.</span>
            </>
          )}
        </p>
      )}
    </Panel>
  );
}
