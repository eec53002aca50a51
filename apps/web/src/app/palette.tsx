import '@mantine/spotlight/styles.layer.css';
import { Spotlight, type SpotlightActionData } from '@mantine/spotlight';
import {
  IconActivity,
  IconBook2,
  IconChecklist,
  IconCoin,
  IconDroplet,
  IconHistory,
  IconPlayerPause,
  IconPlayerPlay,
  IconPlus,
  IconRoute,
  IconSearch,
  IconSettings,
  IconStack2,
} from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { backfillsQuery } from '../features/backfill/api/list-backfills.ts';
import { useBackfillCommand } from '../features/backfill/components/use-backfill-command.tsx';
import { stateWords } from '../features/backfill/model/state-look.ts';
import { useNowSearch } from '../features/now/components/use-now-search.ts';
import { useLooksBack } from '../features/past/components/past-context.ts';
import { pipelinesQuery } from '../features/pipeline/api/list-pipelines.ts';
import { useBrake } from '../features/pipeline/components/use-brake.tsx';
import { sessionQuery } from '../features/session/api/session.ts';
import { mayOperate } from '../features/session/model/rights.ts';
import { formatWindow } from '../lib/instant.ts';

/** Ctrl/⌘ K: go anywhere, and make the live path safe from anywhere. */
export function Palette() {
  const navigate = useNavigate();
  const nowSearch = useNowSearch();
  const { data: session } = useQuery(sessionQuery);
  const { data: pipelines } = useQuery(pipelinesQuery);
  // Progress does not concern it: what is selected changes only with a state, and so does this.
  const { data: backfills } = useQuery({
    ...backfillsQuery({ limit: 50 }),
    select: ({ items }) => items.map(({ id, state, window }) => ({ id, state, window })),
  });
  // Fifty that wait may be newer than those that run. As many as one answer holds.
  const { data: running } = useQuery({
    ...backfillsQuery({ limit: 200, state: 'running' }),
    select: ({ items }) =>
      items.map(({ id, state, window, allowedActions }) => ({
        id,
        state,
        window,
        mayPause: allowedActions.includes('pause'),
      })),
  });
  const { order } = useBackfillCommand();
  const brake = useBrake();
  const past = useLooksBack();

  const actions: SpotlightActionData[] = [
    {
      id: 'now',
      label: 'Now',
      description: 'Is the live path safe?',
      leftSection: <IconActivity aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/', search: nowSearch }),
    },
    {
      id: 'pipeline',
      label: 'Pipeline',
      description: 'Stages, signals, settings, sources and drills',
      leftSection: <IconRoute aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/pipeline' }),
    },
    {
      id: 'streams',
      label: 'Streams',
      description: 'Length, lag, retention, and how long a pause is safe',
      leftSection: <IconDroplet aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/streams' }),
    },
    {
      id: 'backfills',
      label: 'Backfills',
      description: 'Every job, filtered',
      leftSection: <IconStack2 aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/backfills' }),
    },
    {
      id: 'cost',
      label: 'Cost',
      description: 'What is spent, by whom, and the price book',
      leftSection: <IconCoin aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/cost' }),
    },
    {
      id: 'readiness',
      label: 'Readiness',
      description: 'The checklist, answered from the running system',
      leftSection: <IconChecklist aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/readiness' }),
    },
    {
      id: 'audit',
      label: 'Audit',
      description: 'Who did what, when, from where',
      leftSection: <IconHistory aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/audit' }),
    },
    {
      id: 'settings',
      label: 'Settings',
      description: 'Tokens, webhooks, sources, API reference',
      leftSection: <IconSettings aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/settings' }),
    },
  ];
  if (session !== undefined && mayOperate(session) && !past) {
    actions.push({
      id: 'new',
      label: 'New backfill',
      description: 'Find a hole and fill it',
      leftSection: <IconPlus aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/backfills/new' }),
    });
  }
  for (const pipeline of past ? [] : (pipelines ?? [])) {
    if (pipeline.replayPaused && pipeline.allowedActions.includes('resume_replay')) {
      actions.push({
        id: `resume-${pipeline.id}`,
        label: `Resume replay on ${pipeline.title}`,
        description: 'Release the emergency brake',
        leftSection: <IconPlayerPlay aria-hidden size={20} />,
        onClick: () => brake.resume(pipeline),
      });
    } else if (!pipeline.replayPaused && pipeline.allowedActions.includes('pause_replay')) {
      actions.push({
        id: `pause-${pipeline.id}`,
        label: `Pause all replay on ${pipeline.title}`,
        description: 'Every backfill stops; live goes on',
        leftSection: <IconPlayerPause aria-hidden size={20} />,
        onClick: () => brake.pause(pipeline),
      });
    }
  }
  const listed = new Map([...(running ?? []), ...(backfills ?? [])].map((each) => [each.id, each]));
  for (const backfill of listed.values()) {
    actions.push({
      id: backfill.id,
      label: backfill.id,
      description: `${stateWords[backfill.state]} · ${formatWindow(backfill.window)}`,
      leftSection: <IconStack2 aria-hidden size={20} />,
      onClick: () => void navigate({ to: '/backfills/$backfillId', params: { backfillId: backfill.id } }),
    });
  }
  for (const { id, mayPause } of past ? [] : (running ?? [])) {
    if (!mayPause) continue;
    actions.push({
      id: `pause-${id}`,
      label: `Pause ${id}`,
      description: 'Ten seconds to undo',
      leftSection: <IconPlayerPause aria-hidden size={20} />,
      onClick: () => order({ backfill: { id }, verb: 'pause' }),
    });
  }
  actions.push({
    id: 'docs',
    label: 'API reference',
    description: 'Everything here over REST',
    leftSection: <IconBook2 aria-hidden size={20} />,
    onClick: () => void window.open('/docs', '_blank', 'noreferrer'),
  });

  return (
    <Spotlight
      actions={actions}
      // The shell's own: it is heard before this has come.
      shortcut={null}
      // Mantine fades it, which costs it its contrast on the chosen line.
      styles={{ actionDescription: { opacity: 1 }, search: { outlineOffset: -2 } }}
      attributes={{ content: { 'aria-label': 'Command palette' } }}
      limit={14}
      highlightQuery
      nothingFound="Nothing by that name"
      searchProps={{
        placeholder: 'Find a screen, a backfill, a verb…',
        leftSection: <IconSearch aria-hidden size={18} />,
        'aria-label': 'Find anything',
      }}
    />
  );
}
