import type { TablerIcon } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import styles from './badge.module.css';

/** Few tones, each with one meaning: replay moves, somebody waits, proven or well, needs a hand, over or idle. */
export type Tone = 'replay' | 'warn' | 'good' | 'bad' | 'quiet';

interface BadgeProps {
  readonly tone: Tone;
  readonly icon: TablerIcon;
  readonly children: ReactNode;
  readonly size?: 'small' | 'large';
  /** For what finds it by its state. */
  readonly state?: string;
}

/** A state is always colour, icon and word. */
export function Badge({ tone, icon: Icon, children, size = 'small', state }: BadgeProps) {
  return (
    <span className={styles.badge} data-tone={tone} data-size={size} data-state={state}>
      <Icon aria-hidden size={size === 'large' ? 18 : 14} stroke={2.2} />
      {children}
    </span>
  );
}
