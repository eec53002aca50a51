import type { Backfill } from '@spillway/shared/api/backfill';
import { plainWords } from '../../governor/model/plain-words.ts';
import { usePast } from '../../past/components/past-context.ts';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { useReplayRate } from '../../telemetry/components/use-replay-rate.ts';
import { usedRate } from '../model/applied.ts';
import { bindingSentence, isUnused } from '../model/ceilings.ts';
import { CeilingBars } from './ceiling-bars.tsx';
import styles from './ceilings.module.css';

/** Why a backfill goes at the speed it goes: the ceiling that binds in words first, then all of them. */
export function Ceilings({ backfill }: { readonly backfill: Backfill }) {
  const when = usePast() === null ? 'now' : 'then';
  const rate = useReplayRate(backfill);
  const pipeline = useLivePipeline(backfill.pipelineId);
  const signals = pipeline?.governor?.signals ?? [];
  const used = usedRate(rate.eventsPerSecond, backfill.progress);
  return (
    <>
      <p className={styles.sentence}>
        {plainWords(bindingSentence(backfill, used, pipeline?.stages?.causeChain[0]), signals)}
      </p>
      <CeilingBars
        signals={signals}
        effective={backfill.effective}
        isBinding={!isUnused(backfill.effective, used)}
        reached={{
          label: `${rate.of === 'applied' ? 'Applied' : 'Published'} ${when}`,
          eventsPerSecond: rate.eventsPerSecond,
        }}
      />
    </>
  );
}
