import type { Session } from '@spillway/shared/api/session';
import styles from '../../../components/form.module.css';
import { Panel } from '../../../components/panel.tsx';

/** Which Spillway this is, as whom one uses it, and where its API is described. */
export function AboutPanel({ session }: { readonly session: Session }) {
  return (
    <Panel title="About" hint="Everything this page does, the API does too">
      <dl className={styles.facts}>
        <div>
          <dt>Version</dt>
          <dd>{session.version}</dd>
        </div>
        <div>
          <dt>You are</dt>
          <dd>
            {session.actor}, {session.role}
          </dd>
        </div>
        <div>
          <dt>API reference</dt>
          <dd>
            <a href="/docs" target="_blank" rel="noreferrer">
              Read it
            </a>
          </dd>
        </div>
        <div>
          <dt>OpenAPI 3.1</dt>
          <dd>
            <a href="/openapi.json" target="_blank" rel="noreferrer">
              openapi.json
            </a>
          </dd>
        </div>
      </dl>
    </Panel>
  );
}
