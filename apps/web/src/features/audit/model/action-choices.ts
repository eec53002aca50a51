import { auditActions } from '@spillway/shared/audit/actions';
import { verbs } from './action-words.ts';

const kinds: Readonly<Record<string, string>> = {
  backfill: 'Backfills',
  subwindow: 'Subwindows',
  pipeline: 'Pipelines',
  probe: 'Probes',
  source: 'Sources',
  token: 'Tokens',
  webhook: 'Webhooks',
  session: 'Sessions',
  sign_in_code: 'Sign-in codes',
};

/** For choosing one: everything on a kind of resource, or one action on it. */
export const actionChoices = Object.entries(kinds).map(([kind, group]) => ({
  group,
  items: [
    { value: kind, label: `${group}: anything` },
    ...auditActions
      .filter((action) => action.startsWith(`${kind}.`))
      .map((action) => ({ value: action, label: `${group}: ${verbs[action]}` })),
  ],
}));
