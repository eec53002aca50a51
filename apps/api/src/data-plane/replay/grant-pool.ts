/**
 * The rate one worker may use for one backfill: the sum of what its leases were granted.
 *
 * Leases come and go every other second, and the rate should not dip each time: a lease that ended keeps its grant in the
 * pool until its successor has been claimed or refused (a few milliseconds). The pool is as strict as its strictest member:
 * it runs out with the first grant that is not renewed, and ends with the first deadline.
 */
import type { Grant } from '@spillway/shared/api/worker-protocol';
import type { Clock } from '../clock.ts';
import { TokenBucket } from './token-bucket.ts';

interface Member {
  grant: Grant;
  validUntilMs: number;
  deadlineMs: number;
}

export class GrantPool {
  readonly bucket: TokenBucket;
  readonly #members = new Map<string, Member>();

  constructor(clock: Clock) {
    this.bucket = new TokenBucket({ now: () => clock.monotonic() });
  }

  /** A lease and the grant it came with. One of the same id that is still here was of an older token. */
  enter(grant: Grant, sentMs: number, deadlineMs: number): void {
    this.#members.set(grant.leaseId, { grant, validUntilMs: sentMs + grant.validForMs, deadlineMs });
    this.#apply();
  }

  /**
   * `sentMs`: a moment on this machine's clock at which the grant had not been sent yet, so that one that was long on its way
   * is valid for less. Older grants than the one in force are ignored: pushes and answers may overtake each other.
   */
  grant(grant: Grant, sentMs: number): void {
    const member = this.#members.get(grant.leaseId);
    if (member === undefined || grant.sequence < member.grant.sequence) return;
    const validUntilMs = sentMs + grant.validForMs;
    const repeated = grant.sequence === member.grant.sequence;
    member.validUntilMs = repeated ? Math.max(member.validUntilMs, validUntilMs) : validUntilMs;
    member.grant = grant;
    this.#apply();
  }

  renew(leaseId: string, deadlineMs: number): void {
    const member = this.#members.get(leaseId);
    if (member === undefined) return;
    member.deadlineMs = deadlineMs;
    this.#apply();
  }

  release(leaseId: string): void {
    if (this.#members.delete(leaseId)) this.#apply();
  }

  /** The grant in force, for the tick. */
  inForce(leaseId: string): Pick<Grant, 'sequence' | 'eventsPerSecond'> | null {
    return this.#members.get(leaseId)?.grant ?? null;
  }

  get size(): number {
    return this.#members.size;
  }

  #apply(): void {
    const members = [...this.#members.values()];
    const sum = (of: (member: Member) => number) => members.reduce((total, member) => total + of(member), 0);
    this.bucket.setDeadline(Math.min(...members.map((member) => member.deadlineMs)));
    this.bucket.setGrant({
      eventsPerSecond: sum((member) => member.grant.eventsPerSecond),
      safeEventsPerSecond: sum((member) => member.grant.safeEventsPerSecond),
      validUntilMs: Math.min(...members.map((member) => member.validUntilMs)),
    });
  }
}
