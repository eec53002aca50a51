import { Button, Modal } from '@mantine/core';
import { CopyAction } from './copy-action.tsx';
import styles from './secret-once.module.css';

/** A secret that no other answer will ever hold: to be copied now. */
export function SecretOnce({
  title,
  label,
  secret,
  onClose,
}: {
  readonly title: string;
  readonly label: string;
  readonly secret: string;
  readonly onClose: () => void;
}) {
  return (
    // A click beside it must not lose what cannot be shown again.
    <Modal opened onClose={onClose} closeOnClickOutside={false} title={title}>
      <div className={styles.once}>
        <p>Copy it now: it is not kept where it could be shown again.</p>
        <p className={styles.label}>{label}</p>
        {/* One click selects all of it, where copying by the button is not allowed. */}
        <code className={styles.secret} data-testid="secret">
          {secret}
        </code>
        <div className={styles.buttons}>
          <Button variant="default" onClick={onClose}>
            Done
          </Button>
          <CopyAction data-autofocus value={secret} label="Copy" saidForMs={3_000} />
        </div>
      </div>
    </Modal>
  );
}
