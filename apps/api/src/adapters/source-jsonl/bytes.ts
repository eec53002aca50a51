/**
 * The bytes of a file from a place on, decompressed as they are read. What is compressed has no places: everything before is decompressed and
 * dropped. Which it is says the file's first bytes, not its name.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline, Readable, type Transform } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { SourceError } from '../../data-plane/ports.ts';
import { fileError, type LineFile, versionOf } from './files.ts';

const PIECE_BYTES = 128 << 10;
const gzipMagic = Buffer.from([0x1f, 0x8b]);
const zstdMagic = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
/** Of a frame that holds no data, which zstd lets stand before others: the last three bytes of its sixteen kinds. */
const zstdSkippable = Buffer.from([0x2a, 0x4d, 0x18]);

type Codec = 'none' | 'gzip' | 'zstd';

/** What is told of the file as it lies there. */
export type Fetched = (bytes: Buffer) => void;

/**
 * From byte `from` of what the file holds when it is not compressed.
 * Errors: `source_corrupt` for a file that ends too early or is damaged, `source_unavailable` when it is not the version it was.
 */
export async function* bytesOf(file: LineFile, from: number, fetched: Fetched): AsyncGenerator<Buffer> {
  const handle = await openVersion(file);
  try {
    const codec = await codecOf(handle, file);
    if (codec === 'none') {
      yield* piecesOf(handle, from, fetched);
      return;
    }
    let skip = from;
    for await (const piece of codec === 'gzip'
      ? gunzipped(handle, file, fetched)
      : unframed(handle, file, fetched)) {
      const kept = piece.subarray(Math.min(skip, piece.length));
      skip -= piece.length - kept.length;
      if (kept.length > 0) yield kept;
    }
  } catch (error) {
    throw fileError(file.path, error);
  } finally {
    await handle.close();
  }
}

export async function isCompressed(file: LineFile): Promise<boolean> {
  const handle = await openVersion(file);
  try {
    return (await codecOf(handle, file)) !== 'none';
  } finally {
    await handle.close();
  }
}

async function openVersion(file: LineFile): Promise<FileHandle> {
  try {
    const handle = await open(file.path, 'r');
    if (versionOf(await handle.stat()) === file.version) return handle;
    await handle.close();
  } catch (error) {
    throw fileError(file.path, error);
  }
  throw new SourceError('source_unavailable', `${file.path} was changed while it was read`);
}

async function codecOf(handle: FileHandle, { path }: LineFile): Promise<Codec> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
  const head = buffer.subarray(0, bytesRead);
  if (head.subarray(0, 2).equals(gzipMagic)) return 'gzip';
  if (head.equals(zstdMagic) || head.subarray(1).equals(zstdSkippable)) return 'zstd';
  const named = /\.(gz|zst)$/i.exec(path)?.[1];
  if (named !== undefined && bytesRead > 0)
    throw new SourceError('source_corrupt', `${path} is named .${named} but does not begin as one`, 'byte 0');
  return 'none';
}

async function* piecesOf(handle: FileHandle, from: number, fetched: Fetched): AsyncGenerator<Buffer> {
  for (let place = from; ; ) {
    const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(PIECE_BYTES), 0, PIECE_BYTES, place);
    if (bytesRead === 0) return;
    const piece = buffer.subarray(0, bytesRead);
    place += bytesRead;
    fetched(piece);
    yield piece;
  }
}

function gunzipped(handle: FileHandle, file: LineFile, fetched: Fetched): AsyncGenerator<Buffer> {
  return through(piecesOf(handle, 0, fetched), createGunzip({ chunkSize: PIECE_BYTES }), file);
}

/** Frame after frame: the decompressor ends with the first, whatever lies behind it. */
async function* unframed(handle: FileHandle, file: LineFile, fetched: Fetched): AsyncGenerator<Buffer> {
  let told = 0;
  for (let from = 0; from < file.bytes; ) {
    let place = from;
    const once: Fetched = (piece) => {
      // What was read behind the end of a frame is read again with the next one.
      place += piece.length;
      if (place > told) fetched(piece.subarray(Math.max(0, piece.length - (place - told))));
      told = Math.max(told, place);
    };
    const frame = createZstdDecompress({ chunkSize: PIECE_BYTES });
    yield* through(piecesOf(handle, from, once), frame, file);
    if (frame.bytesWritten === 0) throw damaged(file, 'holds a frame that cannot be read');
    from += frame.bytesWritten;
  }
}

async function* through(
  pieces: AsyncGenerator<Buffer>,
  decompressor: Transform,
  file: LineFile,
): AsyncGenerator<Buffer> {
  const source = Readable.from(pieces);
  pipeline(source, decompressor, () => undefined);
  try {
    for await (const piece of decompressor) yield piece as Buffer;
  } catch (error) {
    if (!isOfZlib(error)) throw error;
    const early = error.code === 'Z_BUF_ERROR';
    throw damaged(
      file,
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

function damaged({ path, bytes }: LineFile, how: string, cause?: unknown): SourceError {
  return new SourceError('source_corrupt', `${path} ${how}`, `byte ${bytes}`, { cause });
}
