import type { Pipeline } from '@spillway/shared/api/pipeline';
import { IconArrowsSplit2, IconGitMerge } from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { Badge } from '../../../components/badge.tsx';
import { Panel } from '../../../components/panel.tsx';
import styles from './route-panel.module.css';

/** The route of replay, why it was chosen, and what it means for live. */
export function RoutePanel({ pipeline }: { readonly pipeline: Pipeline }) {
  const { kind, decision, consequence } = pipeline.route;
  const separate = kind === 'separate';
  return (
    <Panel
      title="Route of replay"
      aside={
        <Link to="/pipeline" search={{ pipeline: pipeline.id }} hash="route" className={styles.link}>
          Where it is decided
        </Link>
      }
    >
      <div className={styles.route}>
        <Badge tone={separate ? 'replay' : 'warn'} icon={separate ? IconArrowsSplit2 : IconGitMerge}>
          {separate ? 'Separate' : 'Shared'}
        </Badge>
        <p>
          {decision} <span className={styles.soft}>{consequence}</span>
        </p>
      </div>
    </Panel>
  );
}
