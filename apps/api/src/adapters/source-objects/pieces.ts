/** The bytes of an object from a place on, piece by piece; the last piece is kept, since what follows often begins in it. */
import type { ObjectPlace, OpenObject, StoredObject } from './objects.ts';

/** What is told of the object as it lies there: each piece that was read for the first time. */
export type Fetched = (bytes: Buffer) => void;

export class Pieces {
  readonly #open: OpenObject;
  readonly #size: number;
  readonly #most: number;
  readonly #fetched: Fetched;
  #next: number;
  /** Up to where it was told; what is read again behind it is told no second time. */
  #told: number | null = null;
  #held: { readonly from: number; readonly bytes: Buffer } = { from: 0, bytes: Buffer.alloc(0) };

  constructor(
    open: OpenObject,
    { bytes }: StoredObject,
    { pieceBytes }: ObjectPlace,
    fetched: Fetched = () => undefined,
  ) {
    this.#open = open;
    this.#size = bytes;
    this.#next = pieceBytes.first;
    this.#most = pieceBytes.most;
    this.#fetched = fetched;
  }

  async *from(begin: number): AsyncGenerator<Buffer> {
    for (let place = begin; place < this.#size; ) {
      const piece = await this.#at(place);
      place += piece.length;
      yield piece;
    }
  }

  /** What the object begins with, of which {@link from} then makes no second reading; empty when it is. */
  async first(): Promise<Buffer> {
    return this.#size === 0 ? Buffer.alloc(0) : this.#at(0);
  }

  /** At least a byte of what lies at `place`. */
  async #at(place: number): Promise<Buffer> {
    const { from, bytes } = this.#held;
    if (place >= from && place < from + bytes.length) return bytes.subarray(place - from);
    const to = Math.min(this.#size, place + this.#next);
    this.#next = Math.min(2 * this.#next, this.#most);
    const piece = await this.#open.read(place, to);
    this.#held = { from: place, bytes: piece };
    const told = (this.#told ??= place);
    if (to > told) this.#fetched(piece.subarray(Math.max(0, told - place)));
    this.#told = Math.max(told, to);
    return piece;
  }
}
