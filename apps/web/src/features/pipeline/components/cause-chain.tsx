import type { Stages } from '@spillway/shared/api/pipeline';
import styles from './cause-chain.module.css';

/** Which stage holds the others back, and because of whom, in words. */
export function CauseChain({ stages, loud }: { readonly stages: Stages; readonly loud: boolean }) {
  if (stages.causeChain.length === 0) return null;
  return (
    <p className={styles.chain} data-loud={loud || undefined}>
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
