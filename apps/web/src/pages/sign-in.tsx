import { Button, Loader, TextInput } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { type FormEvent, useEffect, useEffectEvent, useRef, useState } from 'react';
import { sessionQuery, signIn } from '../features/session/api/session.ts';
import { takeWaitingCode } from '../features/session/model/address-code.ts';
import { codeFromInput } from '../features/session/model/sign-in-code.ts';
import { ProblemError } from '../lib/http.ts';
import { useTitle } from '../lib/use-title.ts';
import styles from './sign-in.module.css';

const route = getRouteApi('/sign-in');

/** Exchanges the one-time code of the address Spillway printed; without one, says where to find it. */
export function SignInPage() {
  useTitle('Sign in');
  const { next } = route.useSearch();
  const router = useRouter();
  const queryClient = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>(null);

  const field = useRef<HTMLInputElement>(null);
  // There is one thing to do here: also after a refusal, which brings the field anew.
  useEffect(() => {
    if (!busy) field.current?.focus();
  }, [busy]);

  const exchange = async (code: string) => {
    setBusy(true);
    setProblem(null);
    try {
      await signIn(code);
      queryClient.clear();
      await queryClient.fetchQuery(sessionQuery);
      router.history.replace(next ?? '/');
    } catch (error) {
      setProblem(error);
      setBusy(false);
    }
  };
  const exchangeWaiting = useEffectEvent(() => {
    const code = takeWaitingCode();
    if (code !== null) void exchange(code);
  });
  useEffect(() => exchangeWaiting(), []);

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const code = codeFromInput(String(new FormData(event.currentTarget).get('code') ?? ''));
    if (code !== '') void exchange(code);
  };

  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <img src="/spillway.svg" alt="" width={40} height={40} />
          <h1>Spillway</h1>
        </div>
        {busy ? (
          <p className={styles.busy} role="status">
            <Loader size="sm" /> Signing in…
          </p>
        ) : (
          <>
            {problem === null ? (
              <p className={styles.lead}>
                Sign in with the one-time address that Spillway printed when it started.
              </p>
            ) : (
              <Refused problem={problem} />
            )}
            <form onSubmit={submit} className={styles.form}>
              <TextInput
                name="code"
                label="Sign-in code"
                description="The code alone, or the whole address"
                autoComplete="off"
                spellCheck={false}
                required
                withAsterisk={false}
                ref={field}
              />
              <Button type="submit" fullWidth>
                Sign in
              </Button>
            </form>
            <p className={styles.hint}>
              {problem === null ? (
                <>
                  No code, or it has expired? Run <code>pnpm sign-in</code> where Spillway runs: it prints a
                  fresh address.{' '}
                </>
              ) : null}
              A code works once, for ten minutes.
            </p>
          </>
        )}
      </div>
    </main>
  );
}

function Refused({ problem }: { readonly problem: unknown }) {
  const refused = problem instanceof ProblemError && (problem.status === 401 || problem.status === 400);
  return (
    <div className={styles.refused} role="alert">
      {refused ? (
        <>
          <strong>This sign-in code has expired or was already used.</strong>
          <p>
            Run <code>pnpm sign-in</code> where Spillway runs and open the address it prints.
          </p>
        </>
      ) : (
        <>
          <strong>Signing in did not work.</strong>
          <p>{problem instanceof Error ? problem.message : 'Something failed here.'}</p>
          {problem instanceof ProblemError ? (
            <p className={styles.hint}>request {problem.problem.requestId}</p>
          ) : null}
        </>
      )}
    </div>
  );
}
