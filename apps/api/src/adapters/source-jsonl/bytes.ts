/**
 * The bytes of an object from a place on, decompressed as they are read. What is compressed has no places: everything before is decompressed and
 * dropped. Which it is say the object's first bytes, not its name.
 */
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SourceError } from '../../data-plane/ports.ts';
import type { ObjectPlace, StoredObject } from '../source-objects/objects.ts';
import { type Fetched, Pieces } from '../source-objects/pieces.ts';

const DECOMPRESSED_AT_ONCE_BYTES = 128 << 10;
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Of a frame that holds no data, which zstd lets stand before others: the last three bytes of its sixteen kinds. */
const zstdSkippable = Buffer.from([0x2a, 0x4d, 0x18]);

type Codec = 'none' | 'gzip' | 'zstd';

/** Of the versions that have been looked at. */
const codecs = new WeakMap<StoredObject, Codec>();

/**
 * From byte `from` of what the object holds when it is not compressed.
 * Errors: `source_corrupt` for one that ends too early or is damaged, `source_unavailable` when it is not the version it was.
 */
export async function* bytesOf(
  place: ObjectPlace,
  object: StoredObject,
  from: number,
  fetched: Fetched,
): AsyncGenerator<Buffer> {
  const open = await place.open(object);
  try {
    const pieces = new Pieces(open, object, place, fetched);
    const codec = await codecOf(pieces, object);
    if (codec === 'none') {
      yield* pieces.from(from);
      return;
    }
    let skip = from;
    for await (const piece of codec === 'gzip' ? gunzipped(pieces, object) : unframed(pieces, object)) {
      const kept = piece.subarray(Math.min(skip, piece.length));
      skip -= piece.length - kept.length;
      if (kept.length > 0) yield kept;
    }
  } finally {
    await open.close();
  }
}

/** Of one whose bytes have been read before. */
export function isCompressed(object: StoredObject): boolean {
  return codecs.get(object) !== 'none';
}

async function codecOf(pieces: Pieces, object: StoredObject): Promise<Codec> {
  const known = codecs.get(object);
  if (known !== undefined) return known;
  const head = await pieces.first();
  const codec = codecBeginning(head);
  const named = /\.(gz|zst)$/i.exec(object.path)?.[1];
  if (codec === 'none' && named !== undefined && head.length > 0)
    throw new SourceError(
      'source_corrupt',
      `${object.path} is named .${named} but does not begin as one`,
      'byte 0',
    );
  codecs.set(object, codec);
  return codec;
}

function codecBeginning(head: Buffer): Codec {
  if (head.subarray(0, 2).equals(gzipMagic)) return 'gzip';
  return head.subarray(0, 4).equals(zstdMagic) || head.subarray(1, 4).equals(zstdSkippable) ? 'zstd' : 'none';
}

function gunzipped(pieces: Pieces, object: StoredObject): AsyncGenerator<Buffer> {
  return through(pieces.from(0), createGunzip({ chunkSize: DECOMPRESSED_AT_ONCE_BYTES }), object);
}

/** Frame after frame: the decompressor ends with the first, whatever lies behind it. */
async function* unframed(pieces: Pieces, object: StoredObject): AsyncGenerator<Buffer> {
  for (let from = 0; from < object.bytes; ) {
    const frame = createZstdDecompress({ chunkSize: DECOMPRESSED_AT_ONCE_BYTES });
    yield* through(pieces.from(from), frame, object);
    if (frame.bytesWritten === 0) throw damaged(object, 'holds a frame that cannot be read');
    from += frame.bytesWritten;
  }
}

async function* through(
  pieces: AsyncGenerator<Buffer>,
  decompressor: Transform,
  object: StoredObject,
): AsyncGenerator<Buffer> {
  // One ahead, however large pieces are.
  const source = Readable.from(pieces, { highWaterMark: 1 });
  pipeline(source, decompressor, () => undefined);
  try {
    for await (const piece of decompressor) yield piece as Buffer;
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    const early = error.code === 'Z_BUF_ERROR';
    throw damaged(
      object,
      early ? 'ends in the middle of its compressed data' : `is damaged: ${error.message}`,
      error,
    );
  } finally {
    decompressor.destroy();
    source.destroy();
  }
}

function isOfZlib(error: unknown): error is NodeJS.ErrnoException {
  return /^(Z_|ZSTD_)/.test((error as NodeJS.ErrnoException).code ?? '');
}

function damaged({ path, bytes }: StoredObject, how: string, cause?: unknown): SourceError {
  return new SourceError('source_corrupt', `${path} ${how}`, `byte ${bytes}`, { cause });
}
