import { Button, NumberInput, SegmentedControl, Slider } from '@mantine/core';
import type { Backfill, Receipt } from '@spillway/shared/api/backfill';
import type { Pipeline } from '@spillway/shared/api/pipeline';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { ConsequencesDialog } from '../../../components/consequences-dialog.tsx';
import { Panel } from '../../../components/panel.tsx';
import { Refusal } from '../../../components/refusal.tsx';
import { StaleEdit } from '../../../components/stale-edit.tsx';
import { formatCompact, formatRate } from '../../../lib/format.ts';
import { ProblemError } from '../../../lib/http.ts';
import { plainWords } from '../../governor/model/plain-words.ts';
import { useLivePipeline } from '../../telemetry/components/live-context.ts';
import { backfillKeys } from '../api/keys.ts';
import { currentBackfillsQuery } from '../api/list-backfills.ts';
import { throttleBackfill } from '../api/throttle-backfill.ts';
import { describeLimits, draftOf, type LimitsDraft, patchOf, sameLimits } from '../model/limits.ts';
import { overWords } from '../model/over.ts';
import { askedRate, consequencesOfRaising, raisesAboveSafe, rateOfOthers } from '../model/safe-rate.ts';
import { ReceiptLine } from './receipt-line.tsx';
import styles from './throttle-panel.module.css';
import { useOvertaken } from './use-overtaken.ts';

interface ThrottlePanelProps {
  readonly backfill: Backfill;
  readonly pipeline: Pipeline | undefined;
}

/** What the slider reaches where capacity has not been measured. */
const unmeasuredMaxRate = 50_000;

/**
 * Limits of a backfill, for as long as they can be changed. The draft belongs to the person: live updates never touch it, and
 * applying it names the revision it was made on, so that somebody else's change in between is shown instead of overwritten.
 */
export function ThrottlePanel({ backfill, pipeline }: ThrottlePanelProps) {
  const queryClient = useQueryClient();
  const capacity = pipeline?.capacity.eventsPerSecond ?? null;
  const defaultShare = pipeline?.replayShare ?? null;
  const shownShare = defaultShare ?? 0.5;
  const fresh = () =>
    draftOf(backfill.limits, shownShare, Math.round(backfill.effective.eventsPerSecond || 1_000));
  const [edit, setEdit] = useState<{ readonly draft: LimitsDraft; readonly base: Backfill } | null>(null);
  const draft = edit?.draft ?? fresh();
  const patch = patchOf(draft, (edit?.base ?? backfill).limits, shownShare);
  const [receipt, setReceipt] = useState<{ readonly receipt: Receipt; readonly asked: string } | null>(null);
  const [conflict, setConflict] = useState<Backfill | null>(null);
  const live = useLivePipeline(backfill.pipelineId);
  const safeRate = live?.governor?.safeRate ?? null;
  const over = overWords(backfill, 'throttle');
  const current = useQuery({ ...currentBackfillsQuery(backfill.pipelineId), enabled: over === null });
  const others = rateOfOthers(backfill, current.data?.items);
  const why = plainWords(safeRate?.why ?? '', live?.governor?.signals ?? []);
  /** The revision that a raise above the safe rate waits to be applied to; null: nothing is asked. */
  const [raising, setRaising] = useState<number | null>(null);

  const apply = useMutation({
    mutationFn: (revision: number) => throttleBackfill(backfill.id, patch, revision),
    onSuccess: (answer) => {
      setReceipt({
        receipt: answer,
        asked: describeLimits({ ...backfill.limits, ...patch }, defaultShare),
      });
      setConflict(null);
      setEdit(null);
    },
    onError: (error) => {
      if (!(error instanceof ProblemError) || error.status !== 412) return;
      const current = error.problem.current as Backfill | undefined;
      if (current === undefined) return;
      // Only a command (a pause, say) came in between: nobody's limits would be overwritten.
      if (edit !== null && sameLimits(current.limits, edit.base.limits)) apply.mutate(current.revision);
      else setConflict(current);
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: backfillKeys.one(backfill.id) }),
  });

  const change = (part: Partial<LimitsDraft>) =>
    setEdit((before) => ({
      draft: { ...(before?.draft ?? fresh()), ...part },
      base: before?.base ?? backfill,
    }));
  const after = { ...backfill.limits, ...patch };
  /** Against what the person saw: a change that arrived meanwhile makes no raise of a cut. */
  const ask = ({ limits, revision }: Backfill) => {
    const safe = safeRate?.eventsPerSecond ?? null;
    if (pipeline !== undefined && raisesAboveSafe(limits, after, pipeline, safe, others))
      setRaising(revision);
    else apply.mutate(revision);
  };
  const overtaken = useOvertaken(edit?.base, conflict);
  const maxRate = niceCeiling(Math.max(capacity ?? unmeasuredMaxRate, draft.eventsPerSecond));
  const refusal = apply.error instanceof ProblemError && apply.error.status !== 412 ? apply.error : null;
  const wouldBe =
    draft.by === 'share' && capacity !== null
      ? `${formatRate((draft.sharePercent / 100) * capacity)} at the capacity measured`
      : null;

  // A dialog that is open stays, and the panel under it.
  if (over !== null && raising === null) return null;
  return (
    <Panel title="Throttle" hint={`In force: ${describeLimits(backfill.limits, defaultShare)}`}>
      <form
        id="throttle"
        className={styles.form}
        onSubmit={(event) => {
          event.preventDefault();
          ask(edit?.base ?? backfill);
        }}
      >
        <SegmentedControl
          fullWidth
          aria-label="Limit by"
          data={[
            { value: 'rate', label: 'Events per second' },
            { value: 'share', label: 'Share of capacity' },
          ]}
          value={draft.by}
          onChange={(by) => change({ by: by as LimitsDraft['by'] })}
        />
        {draft.by === 'rate' ? (
          <div className={styles.pair}>
            <Slider
              className={styles.slider}
              thumbLabel="Rate limit, events per second"
              min={0}
              max={maxRate}
              step={maxRate / 200}
              value={draft.eventsPerSecond}
              onChange={(eventsPerSecond) => change({ eventsPerSecond: Math.round(eventsPerSecond) })}
              label={formatRate}
              marks={[
                { value: 0, label: '0' },
                { value: maxRate / 2, label: formatCompact(maxRate / 2) },
                { value: maxRate, label: formatCompact(maxRate) },
              ]}
            />
            <NumberInput
              label="Rate limit"
              suffix=" events/s"
              min={0}
              max={10_000_000}
              thousandSeparator=","
              value={draft.eventsPerSecond}
              onChange={(value) => typeof value === 'number' && change({ eventsPerSecond: value })}
              data-throttle-number
            />
          </div>
        ) : (
          <div className={styles.pair}>
            <Slider
              className={styles.slider}
              thumbLabel="Share of capacity, percent"
              min={0}
              max={100}
              step={1}
              value={draft.sharePercent}
              onChange={(sharePercent) => change({ sharePercent })}
              label={(value) => `${value} %`}
              marks={[
                { value: 0, label: '0' },
                { value: 50, label: '50 %' },
                { value: 100, label: '100 %' },
              ]}
            />
            <NumberInput
              label="Share"
              suffix=" %"
              min={0}
              max={100}
              value={draft.sharePercent}
              onChange={(value) => typeof value === 'number' && change({ sharePercent: value })}
              data-throttle-number
            />
          </div>
        )}
        <p className={styles.soft}>
          {wouldBe === null ? '' : `${wouldBe}. `}
          {safeRate === null || safeRate.eventsPerSecond === null
            ? `Safe rate: unknown${safeRate === null ? '' : `, ${why}`}.`
            : `Safe rate now: ${formatRate(safeRate.eventsPerSecond)}, for all replay together: ${why}.`}
        </p>
        <div className={styles.foot}>
          <NumberInput
            label="Concurrency"
            description="Subwindow runs read at once"
            min={1}
            max={16}
            value={draft.concurrency}
            onChange={(value) => typeof value === 'number' && change({ concurrency: value })}
          />
          <div className={styles.buttons}>
            {edit === null ? null : (
              <Button
                variant="default"
                onClick={() => {
                  setEdit(null);
                  setConflict(null);
                  apply.reset();
                }}
              >
                Discard
              </Button>
            )}
            <Button type="submit" disabled={edit === null || over !== null} loading={apply.isPending}>
              Apply throttle
            </Button>
          </div>
        </div>
        <Refusal error={refusal} />
      </form>
      {conflict === null || overtaken === null ? null : (
        <StaleEdit
          what="this backfill"
          {...overtaken}
          onMine={() => ask(conflict)}
          onTheirs={() => {
            setConflict(null);
            setEdit(null);
            apply.reset();
          }}
        />
      )}
      {pipeline === undefined ? null : (
        <ConsequencesDialog
          opened={raising !== null}
          title="Raise it above the safe rate?"
          consequences={consequencesOfRaising(
            askedRate(after, pipeline),
            live?.governor ?? null,
            pipeline,
            others,
          )}
          safeWord="Keep the present limit"
          actWord="Raise it all the same"
          over={over}
          onClose={() => setRaising(null)}
          onAct={() => {
            if (raising !== null) apply.mutate(raising);
            setRaising(null);
          }}
        />
      )}
      {receipt === null ? null : <ReceiptLine key={receipt.receipt.id} {...receipt} />}
    </Panel>
  );
}

function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, value)));
  return Math.ceil(value / power) * power;
}
