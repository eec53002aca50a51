import type { Backfill } from '@spillway/shared/api/backfill';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { SpokenCaption } from '../../../components/spoken-caption.tsx';
import { useHotkeys } from '../../../lib/use-hotkeys.ts';
import { usePast } from '../../past/components/past-context.ts';
import { sessionQuery } from '../../session/api/session.ts';
import { mayOperate } from '../../session/model/rights.ts';
import { RecordedRates } from '../../telemetry/components/recorded-rates.tsx';
import { useRatesBefore } from '../../telemetry/components/use-rates-before.ts';
import { BackfillRow } from './backfill-row.tsx';
import styles from './backfill-table.module.css';
import { useRowHold } from './use-row-hold.ts';

interface BackfillTableProps {
  readonly backfills: readonly Backfill[];
  readonly caption: string;
  /** Which list it is: its rows are held while somebody is among them, those of another are shown at once. Null: not the right one yet. */
  readonly list: string | null;
  /** Instead of a table without rows: what to do next. */
  readonly empty?: ReactNode;
  readonly stale?: boolean;
  /** Given: rows can be chosen for a verb on many. */
  readonly choosing?: Choosing;
}

/** Boxes are the caller's to draw: most tables have none. */
export interface Choosing {
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (ids: readonly string[], chosen: boolean) => void;
  readonly box: (box: {
    readonly label: string;
    readonly checked: boolean;
    readonly disabled?: boolean;
    readonly onChange: (checked: boolean) => void;
  }) => ReactNode;
}

/** Rows keep the order the server gave them, and their places while the pointer or the focus is among them; on a narrow screen each becomes a card. */
export function BackfillTable({
  backfills,
  caption,
  list,
  empty,
  stale = false,
  choosing,
}: BackfillTableProps) {
  // `p` and `t` act on the row that has the focus: the same buttons, pressed.
  useHotkeys(['p', 't'], (name) => {
    const row = document.activeElement?.closest('[data-backfill-id]');
    row?.querySelector<HTMLElement>(`[data-verb="${name === 'p' ? 'pause' : 'throttle'}"]`)?.click();
  });
  const { data: session } = useQuery(sessionQuery);
  const past = usePast();
  // Of the past, what is shown is what was at the moment that is chosen.
  const { rows, area } = useRowHold(backfills, past === null ? list : null);
  const ratesBefore = useRatesBefore(rows);
  // By who looks, not by what the rows allow this second: a column that comes and goes would move all others.
  const verbs = past === null && session !== undefined && mayOperate(session);
  const pausable = rows.filter(({ allowedActions }) => allowedActions.includes('pause')).map(({ id }) => id);
  if (rows.length === 0) return empty;
  return (
    <div className={styles.scroll} data-stale={stale || undefined} {...area}>
      <RecordedRates backfills={rows} />
      <table className={styles.table}>
        <SpokenCaption>{caption}</SpokenCaption>
        <thead>
          <tr>
            {choosing === undefined ? null : (
              <th scope="col" className={styles.choose}>
                {choosing.box({
                  label: 'Choose all that can be paused',
                  checked: pausable.length > 0 && pausable.every((id) => choosing.chosen.has(id)),
                  disabled: pausable.length === 0,
                  onChange: (is) => choosing.onChoose(pausable, is),
                })}
              </th>
            )}
            <th scope="col">Backfill</th>
            <th scope="col">State</th>
            <th scope="col">Progress</th>
            <th scope="col">Rate</th>
            <th scope="col">Ends in</th>
            {verbs ? <th scope="col">Verbs</th> : null}
          </tr>
        </thead>
        <tbody>
          {rows.map((backfill) => (
            <BackfillRow
              key={backfill.id}
              backfill={backfill}
              verbs={verbs}
              ratesBefore={ratesBefore[backfill.id]}
              choice={choosing?.box({
                label: `Choose ${backfill.id}`,
                checked: choosing.chosen.has(backfill.id),
                onChange: (is) => choosing.onChoose([backfill.id], is),
              })}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}
