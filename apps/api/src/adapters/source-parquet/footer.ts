/** The footer of a file, checked: which row groups there are, what times they cover, and where the three columns lie. */
import { type ColumnMetaData, type FileMetaData, parquetMetadata, type SchemaElement } from 'hyparquet';
import { SourceError } from '../../data-plane/ports.ts';
import type { ParquetFormat } from './config.ts';
import type { ObjectBytes } from './object-bytes.ts';
import { footerParsers } from './parsers.ts';

/** A row group is decoded whole; beyond this many rows it would not fit the memory this adapter promises. */
const maxRowGroupRows = 4 << 20;
const magic = 0x31524150; // "PAR1"

export type ColumnRole = 'time' | 'key' | 'value';
const columnRoles: readonly ColumnRole[] = ['time', 'key', 'value'];

export interface RowGroupFooter {
  readonly index: number;
  readonly firstRow: number;
  readonly rows: number;
  readonly chunks: Readonly<Record<ColumnRole, ColumnMetaData>>;
}

export interface Footer {
  readonly metadata: FileMetaData;
  readonly rows: number;
  readonly groups: readonly RowGroupFooter[];
}

export async function readFooter(file: ObjectBytes, columns: ParquetFormat['columns']): Promise<Footer> {
  const metadata = await parseFooter(file);
  const schema = new Map(topLevelColumns(metadata.schema).map((element) => [element.name, element]));
  for (const role of columnRoles) checkColumn(role, columns[role], schema);

  const groups: RowGroupFooter[] = [];
  let firstRow = 0;
  metadata.row_groups.forEach((group, index) => {
    const rows = Number(group.num_rows);
    const where = `row group ${index}`;
    if (!Number.isSafeInteger(rows) || rows < 0)
      throw corruptFooter(file, `${where} has ${group.num_rows} rows`);
    if (rows > maxRowGroupRows)
      throw new SourceError(
        'source_schema',
        `${where} has ${rows} rows; at most ${maxRowGroupRows} can be decoded at once`,
      );
    const chunk = (role: ColumnRole) => {
      const found = group.columns.find(
        (column) =>
          column.meta_data?.path_in_schema.length === 1 &&
          column.meta_data.path_in_schema[0] === columns[role],
      );
      if (!found?.meta_data || found.file_path)
        throw corruptFooter(file, `${where} has no column ${columns[role]}`);
      checkChunk(file, found.meta_data, rows, `${where}, column ${columns[role]}`);
      return found.meta_data;
    };
    if (rows > 0)
      groups.push({
        index,
        firstRow,
        rows,
        chunks: { time: chunk('time'), key: chunk('key'), value: chunk('value') },
      });
    firstRow += rows;
  });
  if (firstRow !== Number(metadata.num_rows))
    throw corruptFooter(file, `the row groups hold ${firstRow} rows, the file ${metadata.num_rows}`);
  return { metadata, rows: firstRow, groups };
}

/** Where a column chunk starts: its dictionary comes first, when it has one. */
export function chunkRange(chunk: ColumnMetaData): { readonly from: number; readonly to: number } {
  const from = Number(chunk.dictionary_page_offset || chunk.data_page_offset);
  return { from, to: from + Number(chunk.total_compressed_size) };
}

async function parseFooter(file: ObjectBytes): Promise<FileMetaData> {
  if (file.size < 12)
    throw new SourceError(
      'source_corrupt',
      `${file.path} has ${file.size} bytes, too few for a Parquet file`,
      `byte ${file.size}`,
    );
  const tail = await file.tail();
  const end = new DataView(tail, tail.byteLength - 8);
  if (end.getUint32(4, true) !== magic) {
    throw new SourceError(
      'source_corrupt',
      `${file.path} does not end as a Parquet file: it is cut off, or something else`,
      `byte ${file.size - 4}`,
    );
  }
  const length = end.getUint32(0, true);
  if (length > file.size - 12)
    throw corruptFooter(file, `the footer of ${length} bytes is longer than the file`);
  const footer =
    length + 8 <= tail.byteLength
      ? tail.slice(tail.byteLength - 8 - length)
      : await file.read(file.size - 8 - length, file.size);
  try {
    return parquetMetadata(footer, {
      parsers: footerParsers,
      geoparquet: false,
    });
  } catch (error) {
    if (error instanceof SourceError) throw error;
    throw new SourceError(
      'source_corrupt',
      `${file.path}: the footer is not readable`,
      `byte ${file.size - 8 - length}`,
      { cause: error },
    );
  }
}

function corruptFooter(file: ObjectBytes, detail: string): SourceError {
  return new SourceError('source_corrupt', `${file.path}: ${detail}`, `byte ${file.size - 8}`);
}

/** The schema is a flattened tree: elements with children are followed by their descendants. */
function topLevelColumns(schema: readonly SchemaElement[]): SchemaElement[] {
  const columns: SchemaElement[] = [];
  let index = 1;
  const skip = () => {
    const element = schema[index++];
    for (let child = 0; child < (element?.num_children ?? 0) && index < schema.length; child++) skip();
    return element;
  };
  while (index < schema.length) {
    const element = skip();
    if (element) columns.push(element);
  }
  return columns;
}

function checkColumn(role: ColumnRole, name: string, schema: ReadonlyMap<string, SchemaElement>): void {
  const element = schema.get(name);
  if (!element)
    throw new SourceError(
      'source_schema',
      `the ${role} column ${name} is missing; the file has ${[...schema.keys()].join(', ')}`,
    );
  const { type, converted_type: converted, logical_type: logical, repetition_type: repetition } = element;
  const fits = {
    time:
      logical?.type === 'TIMESTAMP' ||
      logical?.type === 'DATE' ||
      converted === 'DATE' ||
      converted === 'TIMESTAMP_MILLIS' ||
      converted === 'TIMESTAMP_MICROS',
    key:
      type === 'BYTE_ARRAY' &&
      (!converted || converted === 'UTF8' || converted === 'ENUM') &&
      (!logical || logical.type === 'STRING' || logical.type === 'ENUM'),
    value:
      (type === 'INT32' || type === 'INT64' || type === 'FLOAT' || type === 'DOUBLE') &&
      (!converted || /^U?INT_/.test(converted)) &&
      (!logical || logical.type === 'INTEGER'),
  }[role];
  const wanted = { time: 'a TIMESTAMP or DATE', key: 'a string', value: 'an integer or a float' }[role];
  if (!fits || repetition === 'REPEATED' || element.num_children) {
    const found = [
      repetition === 'REPEATED' ? 'repeated' : '',
      logical?.type ?? converted ?? type ?? 'a group',
    ]
      .join(' ')
      .trim();
    throw new SourceError('source_schema', `the ${role} column ${name} is ${found}, not ${wanted}`);
  }
}

function checkChunk(file: ObjectBytes, chunk: ColumnMetaData, rows: number, where: string): void {
  const { from, to } = chunkRange(chunk);
  const wholeNumbers = [from, to, Number(chunk.total_uncompressed_size)].every(
    (value) => Number.isSafeInteger(value) && value >= 0,
  );
  if (!wholeNumbers || from < 4 || to < from)
    throw corruptFooter(file, `${where}: its place in the file is not valid`);
  if (to > file.size)
    throw new SourceError(
      'source_corrupt',
      `${file.path} ends at byte ${file.size}; ${where} should end at byte ${to}`,
      `byte ${file.size}`,
    );
  if (Number(chunk.num_values) !== rows)
    throw corruptFooter(file, `${where} has ${chunk.num_values} values for ${rows} rows`);
}
