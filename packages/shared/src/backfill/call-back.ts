/**
 * Leases that are asked back, because workers hold only so many and a lease that may publish next to nothing would be held for ever.
 *
 *     due      of all that the workers can hold, what each backfill would be handed out if they held none (claimsBefore in hand-out.ts)
 *     lacking  due − held, of one that can use them, beyond what is free
 *     back     as many, of those that hold more than is due: at once where they may publish nothing, else when they have been held for longer
 *              than an ordinary run lasts, and long enough for something to have come of it. What was published stays so; the rest is handed
 *              out again when its turn comes.
 *
 * Where there are more backfills than leases, they take turns: who waits comes before who holds, and who has held longest goes first. A proof is never asked back: it goes at its own rate, and would begin anew.
 */
import { type Claimant, claimsBefore } from './hand-out.ts';

export interface LeaseUser extends Claimant {
  /** For isolated workers alone. */
  readonly isolated: boolean;
  /** It may publish, or is to be proved. */
  readonly canUse: boolean;
  /** As many as it has work for that can be handed out now, held ones among them. */
  readonly wants: number;
  readonly leases: readonly HeldLease[];
}

export interface HeldLease {
  readonly leaseId: string;
  readonly kind: 'replay' | 'verify';
  readonly workerId: string;
  /** For so long, ms. */
  readonly heldMs: number;
  /** Something has been published since it was given out. */
  readonly hasPublished: boolean;
}

export interface LeaseWorker {
  readonly workerId: string;
  /** Leases it holds at a time. */
  readonly leasesMax: number;
  readonly isolated: boolean;
}

/** Twice what a run lasts that goes at its rate, and one second. */
const LASTING_MS = 5_000;
/** One that has published nothing yet may be on its way to its first event: given back before it, the next turn would begin where this one did. */
const FRUITLESS_MS = 60_000;

/** Of each backfill that is to give some back, those leases. */
export function callBack(users: readonly LeaseUser[], workers: readonly LeaseWorker[]): HeldLease[] {
  const due = dueOf(users, workers);
  const held = Map.groupBy(
    users.flatMap(({ leases }) => leases),
    ({ workerId }) => workerId,
  );
  const free = new Map(
    workers.map(({ workerId, leasesMax }) => [workerId, leasesMax - (held.get(workerId)?.length ?? 0)]),
  );
  const surplus = new Map(users.map((user) => [user, user.leases.length - (due.get(user) ?? 0)]));
  const beyond = ({ user }: Loan) => surplus.get(user) ?? 0;
  const loans = loansOf(users);
  const back: HeldLease[] = [];
  for (const user of users) {
    const within = workers.filter((worker) => worker.isolated || !user.isolated);
    for (let lacking = (due.get(user) ?? 0) - user.leases.length; lacking > 0; lacking--) {
      const room = within.find(({ workerId }) => (free.get(workerId) ?? 0) > 0);
      if (room !== undefined) {
        free.set(room.workerId, (free.get(room.workerId) ?? 0) - 1);
        continue;
      }
      const reach = new Set(within.map(({ workerId }) => workerId));
      // Of whoever holds most beyond what is due, the one held longest.
      const given = loans
        .filter((loan) => beyond(loan) > 0 && reach.has(loan.lease.workerId))
        .reduce<Loan | null>(
          (most, loan) => (most !== null && beyond(most) >= beyond(loan) ? most : loan),
          null,
        );
      if (given === null) break;
      loans.splice(loans.indexOf(given), 1);
      surplus.set(given.user, beyond(given) - 1);
      back.push(given.lease);
    }
  }
  return back;
}

function dueOf(users: readonly LeaseUser[], workers: readonly LeaseWorker[]): Map<LeaseUser, number> {
  const due = new Map<LeaseUser, number>();
  const isolatedUsers = users.filter(({ isolated }) => isolated);
  let left = share(isolatedUsers, sumOf(workers.filter(({ isolated }) => isolated)), due);
  left += sumOf(workers.filter(({ isolated }) => !isolated));
  share(
    users.filter(({ isolated }) => !isolated),
    left,
    due,
  );
  return due;
}

/** Returns what nobody wants. */
function share(users: readonly LeaseUser[], leases: number, due: Map<LeaseUser, number>): number {
  const has = (user: LeaseUser) => due.get(user) ?? 0;
  for (let left = leases; left > 0; left--) {
    const open = users.filter((user) => user.canUse && has(user) < Math.min(user.wants, user.concurrency));
    if (open.length === 0) return left;
    const first = open.reduce((best, user) =>
      claimsBefore(inTurn(user), has(user), inTurn(best), has(best)) ? user : best,
    );
    due.set(first, has(first) + 1);
  }
  return 0;
}

/** Of those that wait, who was served longest ago; of those that hold, who was served last. */
function inTurn(user: LeaseUser): Claimant {
  return user.leases.length === 0
    ? user
    : { ...user, lastServedMs: Number.MAX_SAFE_INTEGER - user.lastServedMs };
}

function sumOf(workers: readonly LeaseWorker[]): number {
  return workers.reduce((sum, { leasesMax }) => sum + leasesMax, 0);
}

/** A lease that may be asked back, and who holds it. */
interface Loan {
  readonly user: LeaseUser;
  readonly lease: HeldLease;
}

/** Those held longest first. */
function loansOf(users: readonly LeaseUser[]): Loan[] {
  return users
    .flatMap((user) => user.leases.filter((lease) => mayGo(user, lease)).map((lease) => ({ user, lease })))
    .toSorted((a, b) => b.lease.heldMs - a.lease.heldMs);
}

function mayGo(user: LeaseUser, { kind, heldMs, hasPublished }: HeldLease): boolean {
  return kind === 'replay' && (!user.canUse || heldMs > (hasPublished ? LASTING_MS : FRUITLESS_MS));
}
