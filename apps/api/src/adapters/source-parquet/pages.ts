/**
 * Checks a column chunk's page headers before anything is decoded, because a decoder believes them: a flipped bit in a
 * count would make it allocate, or loop, for minutes. Sizes must add up to what the footer promised, and where the writer
 * left a checksum (optional in Parquet, and rare) it must be right.
 */
import { crc32 } from 'node:zlib';
import { parquetHeader } from 'hyparquet/src/column.js';
import { SourceError } from '../../data-plane/ports.ts';

export interface ColumnChunkBytes {
  readonly bytes: ArrayBuffer;
  /** Place of the first byte in the file. */
  readonly at: number;
  readonly rows: number;
  /** From the footer: headers and pages, decompressed. */
  readonly uncompressedBytes: number;
  /** For messages: `row group 3, column delay`. */
  readonly where: string;
}

export function checkPages(chunk: ColumnChunkBytes): void {
  const reader = { view: new DataView(chunk.bytes), offset: 0 };
  let rows = 0;
  let uncompressedBytes = 0;
  while (reader.offset < chunk.bytes.byteLength) {
    const start = reader.offset;
    const corrupt = (detail: string, cause?: unknown) =>
      new SourceError(
        'source_corrupt',
        `${chunk.where}: ${detail}`,
        `byte ${chunk.at + start}`,
        cause === undefined ? {} : { cause },
      );
    let header: ReturnType<typeof parquetHeader>;
    try {
      header = parquetHeader(reader);
    } catch (error) {
      throw corrupt('the page header is not readable', error);
    }
    const { type, compressed_page_size: size, uncompressed_page_size: uncompressedSize } = header;
    if (!isCount(size) || !isCount(uncompressedSize)) throw corrupt('the page header has no sizes');
    uncompressedBytes += reader.offset - start + uncompressedSize;
    if (reader.offset + size > chunk.bytes.byteLength)
      throw corrupt(`the page of ${size} bytes is longer than its column chunk`);
    if (uncompressedBytes > chunk.uncompressedBytes)
      throw corrupt(`the pages are larger than the ${chunk.uncompressedBytes} bytes the footer promises`);
    if (
      header.crc !== undefined &&
      (header.crc | 0) !== (crc32(new Uint8Array(chunk.bytes, reader.offset, size)) | 0)
    )
      throw corrupt('the page does not match its checksum');
    if (type === 'DATA_PAGE' || type === 'DATA_PAGE_V2') {
      const values = header.data_page_header?.num_values ?? header.data_page_header_v2?.num_values;
      if (!isCount(values)) throw corrupt('the page header has no count');
      rows += values;
      if (rows > chunk.rows)
        throw corrupt(`the pages hold more than the ${chunk.rows} rows the footer promises`);
    } else if (type === 'DICTIONARY_PAGE') {
      const values = header.dictionary_page_header?.num_values;
      // An entry takes a byte at least: an empty string has its length.
      if (!isCount(values) || values > uncompressedSize)
        throw corrupt('the dictionary is longer than its page');
    } else if (type !== 'INDEX_PAGE') {
      throw corrupt('the page has an unknown type');
    }
    reader.offset += size;
  }
  if (rows !== chunk.rows) {
    throw new SourceError(
      'source_corrupt',
      `${chunk.where}: the pages hold ${rows} rows, the footer promises ${chunk.rows}`,
      `byte ${chunk.at}`,
    );
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0;
}
