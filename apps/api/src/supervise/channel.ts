/**
 * What a supervised process and its supervisor say to each other, over the IPC channel that Node opens between them.
 *
 * A child also runs without a supervisor (a worker on another machine): then `announceReady` says nothing, and the
 * signals alone drain it.
 */

import { flushCompileCache } from 'node:module';

/** Whether somebody started this process who looks after it, and has looked at what it needs. */
export function isSupervised(): boolean {
  return process.send !== undefined;
}

/** Sent once, when the process does what it is for. `url`: where it listens, with the port it really has. */
export interface ReadyPayload {
  url?: string;
  /** One-time sign-in code, for the ready line. */
  signInCode?: string;
}

/** `alive`: its event loop turns. */
export type MessageToSupervisor = ({ type: 'ready' } & ReadyPayload) | { type: 'alive' };
/** `prepare`: others leave now, and `drain` follows when they have. */
export type MessageToChild = { type: 'prepare' } | { type: 'drain' };

export type DrainCause = 'drain' | 'SIGTERM' | 'SIGINT' | 'disconnect';

/** After the supervisor's death nobody ends a drain that hangs, so it ends itself. */
const ORPHAN_DRAIN_LIMIT_MS = 2_000;
/** Often enough that a few that come late make no silence (silence.ts). */
const ALIVE_EVERY_MS = 2_000;

/** Its modules are all compiled by now: kept at once, since a process that is killed keeps nothing at its end. */
export function announceReady(payload: ReadyPayload = {}): void {
  flushCompileCache();
  const message: MessageToSupervisor = { type: 'ready', ...payload };
  if (process.connected) process.send?.(message);
}

/** From here on the supervisor is told that the event loop turns, and ends this process when it no longer does (silence.ts). */
export function keepSayingAlive(): void {
  const message: MessageToSupervisor = { type: 'alive' };
  const say = (): void => {
    // Whoever is no longer there to hear it is told of by `disconnect`.
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  say();
  setInterval(say, ALIVE_EVERY_MS).unref();
}

/** Calls `handler` when others begin to leave who need what this process holds. It goes on serving them until it is to stop itself. */
export function onPrepare(handler: () => void): void {
  process.on('message', (message: MessageToChild) => {
    if (message?.type === 'prepare') handler();
  });
}

/**
 * Calls `handler` once, when this process is to stop: the supervisor said so, a signal came, or the supervisor died.
 * Exits with 0 when the handler has settled, 1 when it rejected, so handlers only let go of what they hold.
 * A second signal exits at once.
 */
export function onDrain(handler: (cause: DrainCause) => void | Promise<void>): void {
  let draining = false;
  let signals = 0;
  const drain = (cause: DrainCause): void => {
    if (cause === 'disconnect') setTimeout(() => process.exit(1), ORPHAN_DRAIN_LIMIT_MS).unref();
    if ((cause === 'SIGINT' || cause === 'SIGTERM') && ++signals > 1) process.exit(1);
    if (draining) return;
    draining = true;
    Promise.resolve()
      .then(() => handler(cause))
      .then(
        () => process.exit(0),
        (error: unknown) => {
          console.error(error);
          process.exit(1);
        },
      );
  };
  process.on('message', (message: MessageToChild) => {
    if (message?.type === 'drain') drain('drain');
  });
  process.on('disconnect', () => drain('disconnect'));
  process.on('SIGTERM', () => drain('SIGTERM'));
  process.on('SIGINT', () => drain('SIGINT'));
  // The supervisor may have died before this was called.
  if (process.send !== undefined && !process.connected) drain('disconnect');
}
