/** How raw column values become ours: times are epoch milliseconds, strings must be UTF-8, and decompressors stay within the length the page header gives. */
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import type { CompressionCodec, Compressors, ParquetParsers } from 'hyparquet';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** For the footer, where a string may be a bound that the writer cut in the middle of a character. */
export const footerParsers: Partial<ParquetParsers> = {
  timestampFromMilliseconds: (millis) => Number(millis),
  timestampFromMicroseconds: (micros) => floorTo(micros, 1_000n),
  timestampFromNanoseconds: (nanos) => floorTo(nanos, 1_000_000n),
  dateFromDays: (days) => days * 86_400_000,
};

export const columnParsers: Partial<ParquetParsers> = {
  ...footerParsers,
  stringFromBytes: (bytes) => bytes && utf8.decode(bytes),
};

/** Node's own are faster, check a frame's checksum where it has one, and can be told when to stop. */
const native: Compressors = {
  ZSTD: (input, length) => zstdDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
  GZIP: (input, length) => gunzipSync(input, { maxOutputLength: Math.max(1, length) }),
  BROTLI: (input, length) => brotliDecompressSync(input, { maxOutputLength: Math.max(1, length) }),
};

/** The others (Snappy, LZ4) are loaded when a file needs them: WebAssembly is memory. */
export async function decompressorsFor(codec: CompressionCodec): Promise<Compressors> {
  if (codec === 'UNCOMPRESSED' || codec in native) return native;
  return (await import('hyparquet-compressors')).compressors;
}

function floorTo(value: bigint, unit: bigint): number {
  const remainder = value % unit;
  return Number((remainder < 0n ? value - remainder - unit : value - remainder) / unit);
}
