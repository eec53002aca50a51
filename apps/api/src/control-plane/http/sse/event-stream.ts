/**
 * `GET /v1/events` for any number of browsers.
 *
 * Invariants: an event is serialised once per role; a client that stalls holds at most 1 MiB and is dropped; a client whose token or
 * session is revoked is closed within 5 s; there are at most `maxClients`. A client that comes anew is told at once how it is, not with the
 * next second.
 */
import type { FastifyReply } from 'fastify';
import type { Directory } from '../../access/directory.ts';
import type { Principal } from '../../access/principal.ts';
import type { Changes, Clock } from '../../context.ts';
import { ProblemError } from '../../problem-error.ts';
import { frameOf, openSse, type SseClient } from './client.ts';
import { createRing, type RingEntry } from './ring.ts';

const ringEvents = 500;
/** What a returning client missed may fill half of its buffer; beyond that it is told to read anew. */
const maxResumeBytes = 512 * 1024;
/** Telemetry comes once a second: what is older is not how it is. */
const newestMaxAgeMs = 2_000;
const welcomeCheckMs = 1_000;
const heartbeatEvery = 2;
const maxEventClients = 1_000;

export interface EventStream {
  /** Errors: `unavailable` when all places are taken; nothing has been sent then. */
  attach(reply: FastifyReply, principal: Principal, lastEventId: string | null): void;
  size(): number;
  close(): void;
}

export function createEventStream(options: {
  readonly changes: Changes;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly maxClients?: number;
}): EventStream {
  const { changes, directory, clock, maxClients = maxEventClients } = options;
  const ring = createRing(clock.now(), ringEvents);
  const clients = new Map<SseClient, Principal>();
  /** Telemetry of each pipeline, and when it was sent. */
  const newest = new Map<string, { readonly entry: RingEntry; readonly atMs: number }>();

  const unsubscribe = changes.subscribe((change) => {
    const entry = ring.add(change);
    if (change.event === 'telemetry') newest.set(change.data.pipelineId, { entry, atMs: clock.now() });
    if (change.event === 'pipeline_removed') newest.delete(change.data.pipelineId);
    for (const [client, principal] of clients) client.send(entry.frameFor(principal.role));
  });

  let rounds = 0;
  const timer = setInterval(() => {
    rounds += 1;
    if (rounds % heartbeatEvery === 0) beat();
    void closeUnwelcome();
  }, welcomeCheckMs);
  timer.unref();

  function beat(): void {
    const frame = frameOf('heartbeat', { at: clock.now() });
    for (const client of clients.keys()) {
      client.dropIfStalled();
      client.send(frame);
    }
  }

  async function closeUnwelcome(): Promise<void> {
    for (const [client, principal] of [...clients]) {
      if (!(await directory.stillWelcome(principal))) client.close();
    }
  }

  return {
    attach(reply, principal, lastEventId) {
      if (clients.size >= maxClients)
        throw new ProblemError('unavailable', `All ${maxClients} places for event streams are taken`);
      const client: SseClient = openSse(reply, () => clients.delete(client));
      clients.set(client, principal);
      client.send(Buffer.from('retry: 1000\n\n'));
      if (lastEventId === null) sendNewest(client, principal);
      else resume(client, principal, lastEventId);
      client.send(frameOf('heartbeat', { at: clock.now() }));
    },
    size: () => clients.size,
    close() {
      clearInterval(timer);
      unsubscribe();
      for (const client of clients.keys()) client.close();
    },
  };

  function sendNewest(client: SseClient, principal: Principal): void {
    const nowMs = clock.now();
    for (const { entry, atMs } of newest.values())
      if (nowMs - atMs <= newestMaxAgeMs) client.send(entry.frameFor(principal.role));
  }

  function resume(client: SseClient, principal: Principal, lastEventId: string): void {
    const frames = ring.after(lastEventId)?.map((entry) => entry.frameFor(principal.role)) ?? null;
    const bytes = frames?.reduce((sum, frame) => sum + frame.length, 0) ?? Number.POSITIVE_INFINITY;
    // Something in between is gone: what is shown must be read again.
    if (frames === null || bytes > maxResumeBytes) client.send(frameOf('reset', {}));
    else for (const frame of frames) client.send(frame);
  }
}
