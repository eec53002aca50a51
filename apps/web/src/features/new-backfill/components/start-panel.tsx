import { Button, Textarea } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { CopyAction } from '../../../components/copy-action.tsx';
import { Panel } from '../../../components/panel.tsx';
import { formatCount, formatRate, formatSpan } from '../../../lib/format.ts';
import { DriftNotice } from '../../quote/components/drift-notice.tsx';
import type { BrokenQuote } from '../../quote/model/quote-words.ts';
import type { DraftProblems } from '../model/draft.ts';
import styles from './new-backfill.module.css';

interface StartPanelProps {
  readonly events: number | null;
  readonly subwindows: number | null;
  readonly eventsPerSecond: number | null;
  readonly reason: string;
  readonly onReason: (reason: string) => void;
  /** Null: what the form says cannot be started, so no command starts it either. */
  readonly curl: string | null;
  readonly problems: DraftProblems;
  /** Given when the server refused: what to quote. */
  readonly requestId: string | null;
  readonly ready: boolean;
  /** Why it is known that a start would be refused; null: it is not. */
  readonly missing: string | null;
  /** The rate at which a goal that cannot be met is missed by the least; null: nothing asked for is impossible. */
  readonly nearest: number | null;
  readonly windowChosen: boolean;
  readonly busy: boolean;
  readonly mayStart: boolean;
  /** What has changed since the quote, where the start was refused for it: it does not hold any more. Null: it was not. */
  readonly broken: BrokenQuote | null;
  readonly onQuoteAgain: () => void;
  /** The quote of what the form says is on its way. */
  readonly quoting: boolean;
}

/** What this will do, why, and the button. */
export function StartPanel(props: StartPanelProps) {
  const { events, subwindows, eventsPerSecond } = props;
  const shortest =
    events === null || eventsPerSecond === null || eventsPerSecond <= 0
      ? null
      : (events / eventsPerSecond) * 1_000;
  return (
    <Panel title="Start">
      <div className={styles.stack}>
        <dl className={styles.facts}>
          <dt>Events in the window</dt>
          <dd>{props.windowChosen ? formatCount(events) : '—'}</dd>
          <dt>Subwindows</dt>
          <dd>{props.windowChosen ? formatCount(subwindows) : '—'}</dd>
          <dt>At most</dt>
          <dd>{formatRate(eventsPerSecond)}</dd>
          <dt>Takes at least</dt>
          <dd>{props.windowChosen ? (eventsPerSecond === 0 ? 'never ends' : formatSpan(shortest)) : '—'}</dd>
        </dl>
        {props.mayStart ? (
          <Textarea
            label="Reason"
            description="Shown to everybody who sees this backfill, and kept in the audit"
            placeholder="e.g. the feed was down"
            autosize
            minRows={2}
            value={props.reason}
            error={props.problems.reason}
            onChange={(event) => props.onReason(event.currentTarget.value)}
          />
        ) : null}
        {props.broken === null ? null : (
          <DriftNotice broken={props.broken} onQuoteAgain={props.onQuoteAgain} busy={props.quoting} />
        )}
        {props.problems.form === undefined ? null : (
          <p className={styles.refusal} role="alert">
            {props.problems.form}
            {props.requestId === null ? null : (
              <span className={styles.soft}> (request {props.requestId})</span>
            )}
          </p>
        )}
        {props.mayStart && props.missing !== null ? <p className={styles.soft}>{props.missing}</p> : null}
        {props.mayStart ? (
          <Button
            type="submit"
            size="md"
            leftSection={<IconPlayerPlay aria-hidden size={18} />}
            disabled={!props.ready}
            loading={props.busy}
          >
            {props.nearest === null ? 'Start backfill' : `Start at ${formatRate(props.nearest)} all the same`}
          </Button>
        ) : (
          <p className={styles.soft}>Your role may look but not start a backfill.</p>
        )}
        {props.curl === null ? null : (
          <details>
            <summary>The same as a command</summary>
            <p className={styles.soft}>
              SPILLWAY_ADMIN_TOKEN is an API token: the admin’s is in the file admin-token of the data
              directory.
            </p>
            <pre className={styles.curl}>{props.curl}</pre>
          </details>
        )}
        <CopyAction
          variant="default"
          disabled={props.curl === null}
          value={props.curl ?? ''}
          label="Copy as curl"
        />
      </div>
    </Panel>
  );
}
