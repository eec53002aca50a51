/**
 * The bytes of one version of an object, as the decode thread sees them: the other side reads them. Every read is exact: what lies past the end
 * that the object is known to have is reported with the byte where it ends.
 */
import { SourceError } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';

/** Most footers fit: one read for both the footer and its length. */
const TAIL_BYTES = 64 << 10;

export class ObjectBytes {
  readonly path: string;
  readonly size: number;
  readonly #readElsewhere: (from: number, to: number) => Promise<ArrayBuffer>;

  constructor(
    { path, bytes }: StoredObject,
    readElsewhere: (from: number, to: number) => Promise<ArrayBuffer>,
  ) {
    this.path = path;
    this.size = bytes;
    this.#readElsewhere = readElsewhere;
  }

  async read(from: number, to: number): Promise<ArrayBuffer> {
    if (from < 0 || to < from || to > this.size)
      throw new SourceError(
        'source_corrupt',
        `${this.path} refers to bytes ${from} to ${to} but ends at byte ${this.size}`,
        `byte ${this.size}`,
      );
    return this.#readElsewhere(from, to);
  }

  /** Its last bytes, as many as are likely to be wanted. */
  tail(): Promise<ArrayBuffer> {
    return this.read(Math.max(0, this.size - TAIL_BYTES), this.size);
  }
}
