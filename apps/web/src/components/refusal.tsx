import { ProblemError } from '../lib/http.ts';
import styles from './refusal.module.css';

/** Why a form was not taken: each pointer with its reason, and what to quote when asking for help. */
export function Refusal({ error }: { readonly error: unknown }) {
  if (error === null || error === undefined) return null;
  if (!(error instanceof ProblemError))
    return (
      <p className={styles.refusal} role="alert">
        Something failed here.
      </p>
    );
  const { errors, requestId } = error.problem;
  return (
    <p className={styles.refusal} role="alert">
      {errors.length > 0
        ? errors.map(({ pointer, detail }) => `${pointer}: ${detail}`).join('; ')
        : error.message}{' '}
      (request {requestId})
    </p>
  );
}
