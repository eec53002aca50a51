import type { Stages } from '@spillway/shared/api/pipeline';
import styles from './cause-chain.module.css';

/** Which stage holds the others back, and because of whom, in words. */
export function CauseChain({ stages, stale }: { readonly stages: Stages; readonly stale: boolean }) {
  if (stages.causeChain.length === 0) return null;
  return (
    <p
      className={styles.chain}
      data-loud={(!stale && stages.stages.some(({ pressure }) => pressure === 'high')) || undefined}
    >
      <strong>Why: </strong>
      {stages.causeChain.map((cause, index) => (
        <span key={cause.replace(/\d/g, '#')}>
          {index === 0 ? '' : ' → '}
          {cause}
        </span>
      ))}
    </p>
  );
}
