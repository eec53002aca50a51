/**
 * What was made of the objects that lie there now. They are listed again after a while, and where one has come, gone or changed, all is made
 * anew; who still holds what was made before is told by the objects themselves that they have changed.
 */
import { createHash } from 'node:crypto';
import { SourceError } from '../../data-plane/ports.ts';
import { changedMeanwhile, type ObjectPlace, type StoredObject } from './objects.ts';

/** Listing takes no more than a fiftieth of the time. */
const LOOK_SHARE = 50;

export class Latest<Made> {
  readonly #place: ObjectPlace;
  readonly #make: (objects: readonly StoredObject[]) => Made;
  readonly #leave: (made: Made) => void;
  #made: { readonly version: string; readonly of: Made } | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  constructor(
    place: ObjectPlace,
    make: (objects: readonly StoredObject[]) => Made,
    leave: (made: Made) => void = () => undefined,
  ) {
    this.#place = place;
    this.#make = make;
    this.#leave = leave;
  }

  /** Errors: those of {@link ObjectPlace.list}. */
  async get(): Promise<Made> {
    if (this.#made !== null && performance.now() < this.#lookAgainAt) return this.#made.of;
    return (await this.#look()).of;
  }

  /** Of what lies there now, or a little while ago where each look is paid for; {@link get} answers for this one or a later one. */
  async version(): Promise<string> {
    const { paysByRead, lookMs } = this.#place;
    const isFresh = paysByRead && performance.now() < this.#lookedAt + lookMs;
    return (isFresh && this.#made !== null ? this.#made : await this.#look()).version;
  }

  /**
   * What to report when something made of `objects` has failed. A fault found in them is one only while they lie there: whoever asked for what
   * was being read anyway may have come after they were replaced, and is to ask again. Where an object is known to have changed, the next
   * look is not put off.
   */
  async blamed(error: unknown, objects: readonly StoredObject[]): Promise<unknown> {
    if (!(error instanceof SourceError)) return error;
    if (error.code === 'source_unavailable') {
      this.#lookedAt = this.#lookAgainAt = Number.NEGATIVE_INFINITY;
      return error;
    }
    try {
      const { version } = await this.#look();
      return version === versionOfAll(objects) ? error : changedMeanwhile(this.#place.shown);
    } catch (lookError) {
      return lookError;
    }
  }

  close(): void {
    if (this.#made !== null) this.#leave(this.#made.of);
    this.#made = null;
  }

  async #look() {
    const began = performance.now();
    let objects: readonly StoredObject[];
    try {
      objects = await this.#place.list();
    } catch (error) {
      this.close();
      throw error;
    }
    const now = performance.now();
    this.#lookedAt = began;
    this.#lookAgainAt = now + Math.max(this.#place.lookMs, (now - began) * LOOK_SHARE);
    const version = versionOfAll(objects);
    if (this.#made?.version === version) return this.#made;
    this.close();
    this.#made = { version, of: this.#make(objects) };
    return this.#made;
  }
}

function versionOfAll(objects: readonly StoredObject[]): string {
  const hash = createHash('sha256');
  for (const { name, version } of objects) hash.update(`${name}\0${version}\0`);
  return hash.digest('hex').slice(0, 32);
}
