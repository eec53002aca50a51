/**
 * What is kept in committed offsets, of which Kafka holds one with a note for each group and topic.
 *
 * - `<topic>.<group>`: the first entry that a group of the port has not finished.
 * - `<topic>:trimmed`: the first entry that has not been trimmed. Brokers remove entries before it where they can; to us they are gone either way.
 * - `<topic>:producer`: the producer's state, and the first entry that it knows nothing of.
 */
import type { Cluster } from './cluster.ts';
import { type Committed, commit, committedBy, committedByVisible, endOf, groupsAt } from './protocol.ts';

/** How long it is believed which other programs have committed offsets of the topic. */
const INVENTORY_MS = 5_000;
/** Note of a group that has finished nothing yet. */
const BEGUN = 'begun';

export interface Ends {
  /** The first entry that is held. */
  readonly first: number;
  /** The offset that the next entry will have. */
  readonly next: number;
}

export interface GroupPlace {
  /** The first entry that it has not finished. */
  readonly unfinished: number;
  readonly hasFinishedAny: boolean;
}

export class CommittedOffsets {
  readonly #cluster: Cluster;
  readonly #listing: Cluster;
  /** Ids of the port's groups that this process has opened. */
  readonly #opened = new Set<string>();
  #others: readonly string[] = [];
  #inventoriedAt = Number.NEGATIVE_INFINITY;

  /** `listing`: connections on which groups are looked for. */
  constructor(cluster: Cluster, listing: Cluster) {
    this.#cluster = cluster;
    this.#listing = listing;
  }

  async ends(options: { readonly patienceMs?: number } = {}): Promise<Ends> {
    const { topic } = this.#cluster;
    // The mark before the end: it may move on meanwhile, and must not seem to lie beyond.
    const mark = (await this.#read(`${topic}:trimmed`, options))?.offset ?? 0;
    const [earliest, next] = await this.#cluster.run(
      'leader',
      (connection) => Promise.all([endOf(connection, topic, 'earliest'), endOf(connection, topic, 'latest')]),
      options,
    );
    // A mark beyond the end is of an earlier topic of this name.
    return { first: mark > next ? earliest : Math.max(earliest, mark), next };
  }

  async markTrimmed(before: number): Promise<void> {
    await this.#write(`${this.#cluster.topic}:trimmed`, { offset: before, note: '' });
  }

  /** At the oldest entry, unless it is there. */
  async begin(group: string): Promise<void> {
    const id = this.#idOf(group);
    if ((await this.#read(id)) === null) {
      const { first } = await this.ends();
      await this.#write(id, { offset: first, note: BEGUN });
    }
    this.#opened.add(id);
  }

  /** Never moves backwards. */
  async finish(group: string, unfinished: number): Promise<void> {
    const id = this.#idOf(group);
    const held = await this.#read(id);
    if (held !== null && held.note !== BEGUN && held.offset >= unfinished) return;
    await this.#write(id, { offset: Math.max(unfinished, held?.offset ?? 0), note: '' });
  }

  /** Null: the group has never begun. */
  async placeOf(group: string, options: { readonly patienceMs?: number }): Promise<GroupPlace | null> {
    const held = await this.#read(this.#idOf(group), options);
    if (held === null) return null;
    return { unfinished: held.offset, hasFinishedAny: held.note !== BEGUN && held.offset > 0 };
  }

  /** The first entry that it has not finished of every group, whoever made it, that has committed an offset of the topic. */
  async unfinished(canBeListed: boolean): Promise<readonly number[]> {
    if (canBeListed && performance.now() - this.#inventoriedAt > INVENTORY_MS) {
      this.#others = await this.#inventory();
      this.#inventoriedAt = performance.now();
    }
    const ids = new Set([...this.#opened, ...this.#others]);
    const held = await Promise.all([...ids].map((id) => this.#read(id)));
    return held.flatMap((committed) => (committed === null ? [] : [committed.offset]));
  }

  producerState(): Promise<Committed | null> {
    return this.#read(`${this.#cluster.topic}:producer`);
  }

  keepProducerState(
    state: string,
    next: number,
    options: { readonly patienceMs?: number } = {},
  ): Promise<void> {
    return this.#write(`${this.#cluster.topic}:producer`, { offset: next, note: state }, options);
  }

  /** Every broker knows the groups it coordinates, and none but those. Of other programs' those that may be asked. */
  async #inventory(): Promise<readonly string[]> {
    const { topic } = this.#listing;
    const { brokers } = await this.#listing.plan();
    const found: string[] = [];
    for (const broker of brokers) {
      const ids = await this.#listing.run({ broker }, groupsAt);
      for (const id of ids) {
        if (id.startsWith(`${topic}:`)) continue;
        const held = await this.#listing.run({ broker }, (connection) =>
          id.startsWith(`${topic}.`)
            ? committedBy(connection, topic, id)
            : committedByVisible(connection, topic, id),
        );
        if (held !== null) found.push(id);
      }
    }
    return found;
  }

  #idOf(group: string): string {
    return `${this.#cluster.topic}.${group}`;
  }

  #read(id: string, options: { readonly patienceMs?: number } = {}): Promise<Committed | null> {
    const { topic } = this.#cluster;
    return this.#cluster.run({ group: id }, (connection) => committedBy(connection, topic, id), options);
  }

  #write(id: string, committed: Committed, options: { readonly patienceMs?: number } = {}): Promise<void> {
    const { topic } = this.#cluster;
    return this.#cluster.run(
      { group: id },
      (connection) => commit(connection, topic, id, committed),
      options,
    );
  }
}
