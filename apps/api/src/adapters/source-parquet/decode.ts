/**
 * One row group from bytes to typed columns. Runs in the decode thread.
 *
 * What a flipped bit can do: Parquet's page checksums are optional and most writers leave them out, so a flip inside a
 * page may decode to another value without a word. What is checked is everything the file says twice: page headers against
 * the footer, row counts, dictionary positions, and the values against the row group's statistics.
 */
import { type ColumnMetaData, type DecodedArray, parquetScan } from 'hyparquet';
import { isEventTime, nameFault } from '../../data-plane/event-limits.ts';
import { SourceError, type SourceScan } from '../../data-plane/ports.ts';
import type { ParquetFormat } from './config.ts';
import { type ColumnRole, chunkRange, type Footer, type RowGroupFooter } from './footer.ts';
import type { ObjectBytes } from './object-bytes.ts';
import { checkPages } from './pages.ts';
import { columnParsers, decompressorsFor } from './parsers.ts';
import { faults, type RowGroupColumns } from './row-group.ts';

/** Beyond this a number is not a date (ECMAScript's time range). */
const maxTime = 8.64e15;

export interface OpenObjectBytes {
  readonly bytes: ObjectBytes;
  readonly footer: Footer;
  readonly columns: ParquetFormat['columns'];
}

/** Where a column's rows are, for messages. */
interface Place {
  readonly where: string;
  readonly firstRow: number;
}

/** `carry` is the time of a first row that has none. */
export async function decodeRowGroup(
  file: OpenObjectBytes,
  group: RowGroupFooter,
  carry: number,
  withValues = true,
): Promise<RowGroupColumns> {
  const place = (role: ColumnRole): Place => ({
    where: `row group ${group.index}, column ${file.columns[role]}`,
    firstRow: group.firstRow,
  });
  const rowFaults = new Uint8Array(group.rows);
  // One column after the other: the decoder's own arrays are the largest thing here, and only one set is alive at a time.
  const times = timeColumn(
    await decodeColumn(file, group, 'time'),
    rowFaults,
    carry,
    statisticsOf(group.chunks.time),
    place('time'),
  );
  const { codes, keys } = keyColumn(
    await decodeColumn(file, group, 'key'),
    rowFaults,
    statisticsOf(group.chunks.key),
    place('key'),
  );
  const values = withValues
    ? valueColumn(
        await decodeColumn(file, group, 'value'),
        rowFaults,
        statisticsOf(group.chunks.value),
        place('value'),
      )
    : new Int32Array(0);
  return {
    firstRow: group.firstRow,
    rows: group.rows,
    times,
    values,
    codes,
    keys,
    sorted: isSorted(times),
    faults: rowFaults.some((fault) => fault !== 0) ? rowFaults : null,
    scan: scanOf(withValues ? ['time', 'key', 'value'] : ['time', 'key'], group),
  };
}

/** Can a row of this group be quarantined for its measure? When the footer says no, a count need not read the column. */
export function valuesMayFail(chunk: ColumnMetaData): boolean {
  const { min, max, nulls } = statisticsOf(chunk);
  if (nulls !== 0) return true;
  if (chunk.type === 'INT32') return false;
  return (
    chunk.type !== 'INT64' ||
    !Number.isSafeInteger(Number(min ?? Number.NaN)) ||
    !Number.isSafeInteger(Number(max ?? Number.NaN))
  );
}

interface ColumnStatistics {
  readonly min: unknown;
  readonly max: unknown;
  /** Null when the writer did not count them. */
  readonly nulls: number | null;
}

export function statisticsOf(chunk: ColumnMetaData): ColumnStatistics {
  const statistics = chunk.statistics;
  const nulls = statistics?.null_count;
  return {
    min: statistics?.min_value,
    max: statistics?.max_value,
    nulls: nulls === undefined ? null : Number(nulls),
  };
}

/** Rows of one column as the library gives them: null where the row has none, undefined where the page is damaged. */
export async function decodeColumn(
  file: OpenObjectBytes,
  group: RowGroupFooter,
  role: ColumnRole,
): Promise<ArrayLike<unknown>> {
  const chunk = group.chunks[role];
  const column = file.columns[role];
  const where = `row group ${group.index}, column ${column}`;
  const { from, to } = chunkRange(chunk);
  const bytes = await file.bytes.read(from, to);
  checkPages({
    bytes,
    at: from,
    rows: group.rows,
    uncompressedBytes: Number(chunk.total_uncompressed_size),
    where,
  });

  const rowGroup = file.footer.metadata.row_groups[group.index];
  if (!rowGroup) throw new RangeError(`no row group ${group.index}`);
  let data: DecodedArray;
  try {
    const scan = await parquetScan({
      file: {
        byteLength: file.bytes.size,
        slice: (start, end = file.bytes.size) => bytes.slice(start - from, end - from),
      },
      metadata: { ...file.footer.metadata, row_groups: [rowGroup] },
      columns: [column],
      useOffsetIndex: false,
      compressors: await decompressorsFor(chunk.codec),
      parsers: columnParsers,
    });
    data = await scan.readColumn({ column, rowStart: 0, rowEnd: group.rows });
  } catch (error) {
    throw new SourceError(
      'source_corrupt',
      `${where}: ${(error as Error).message}`,
      `bytes ${from} to ${to}`,
      { cause: error },
    );
  }
  if (data.length !== group.rows)
    throw new SourceError(
      'source_corrupt',
      `${where}: ${data.length} of ${group.rows} rows`,
      `bytes ${from} to ${to}`,
    );
  return data;
}

function timeColumn(
  data: ArrayLike<unknown>,
  rowFaults: Uint8Array,
  carry: number,
  statistics: ColumnStatistics,
  place: Place,
): Float64Array {
  const check = checker(statistics, place);
  const times = new Float64Array(data.length);
  let last = carry;
  for (let row = 0; row < data.length; row++) {
    const time = data[row];
    if (time === null) {
      rowFaults[row] = faults.missingTime;
      check.missing();
    } else {
      check.number(time, row);
      if (isEventTime(time as number)) last = time as number;
      else
        rowFaults[row] = Math.abs(time as number) <= maxTime ? faults.timeOutOfRange : faults.unparsableTime;
    }
    times[row] = last;
  }
  check.done();
  return times;
}

function keyColumn(
  data: ArrayLike<unknown>,
  rowFaults: Uint8Array,
  statistics: ColumnStatistics,
  place: Place,
): Pick<RowGroupColumns, 'codes' | 'keys'> {
  const check = checker(statistics, place);
  const codeByKey = new Map<string, number>();
  const codes = new Uint32Array(data.length);
  const missing = 0xffff_ffff;
  for (let row = 0; row < data.length; row++) {
    const key = data[row];
    if (key === null) {
      codes[row] = missing;
      rowFaults[row] ||= faults.missingKey;
      check.missing();
      continue;
    }
    let code = codeByKey.get(key as string);
    if (code === undefined) {
      check.text(key, row);
      code = codeByKey.size;
      codeByKey.set(key as string, code);
    }
    codes[row] = code;
  }
  check.done();
  const keys = [...codeByKey.keys()];
  const unusable = new Set(keys.flatMap((key, code) => (nameFault(key) === null ? [] : [code])));
  if (unusable.size > 0)
    for (const [row, code] of codes.entries()) if (unusable.has(code)) rowFaults[row] ||= faults.unusableKey;
  const size = keys.length;
  for (let row = 0; row < codes.length; row++) if (codes[row] === missing) codes[row] = size;
  return { codes: size < 0xffff ? Uint16Array.from(codes) : codes, keys };
}

function valueColumn(
  data: ArrayLike<unknown>,
  rowFaults: Uint8Array,
  statistics: ColumnStatistics,
  place: Place,
): Int32Array | Float64Array {
  const check = checker(statistics, place);
  const values = new Float64Array(data.length);
  let narrow = true;
  for (let row = 0; row < data.length; row++) {
    const raw = data[row];
    if (raw === null) {
      rowFaults[row] ||= faults.missingValue;
      check.missing();
      continue;
    }
    check.number(raw, row);
    // Adding 0 turns -0 into 0: the measure is written as a decimal when it is hashed.
    const value = Number(raw) + 0;
    if (!Number.isSafeInteger(value)) {
      rowFaults[row] ||= faults.valueOutOfRange;
      continue;
    }
    values[row] = value;
    narrow &&= (value | 0) === value;
  }
  check.done();
  return narrow ? Int32Array.from(values) : values;
}

/** Holds decoded values against what the footer says about them. */
function checker(statistics: ColumnStatistics, place: Place) {
  const low =
    typeof statistics.min === 'number' || typeof statistics.min === 'bigint'
      ? Number(statistics.min)
      : Number.NEGATIVE_INFINITY;
  const high =
    typeof statistics.max === 'number' || typeof statistics.max === 'bigint'
      ? Number(statistics.max)
      : Number.POSITIVE_INFINITY;
  const first = textBound(statistics.min);
  const last = textBound(statistics.max);
  let missing = 0;
  const corrupt = (row: number, detail: string) =>
    new SourceError('source_corrupt', `${place.where}: ${detail}`, `row ${place.firstRow + row}`);
  return {
    number(value: unknown, row: number) {
      if (typeof value !== 'number' && typeof value !== 'bigint')
        throw corrupt(row, 'the value points outside its dictionary');
      if (value < low || value > high)
        throw corrupt(row, `${value} lies outside the row group's statistics (${low} to ${high})`);
    },
    text(value: unknown, row: number) {
      if (typeof value !== 'string') throw corrupt(row, 'the value points outside its dictionary');
      const bytes = Buffer.from(value);
      if ((first && Buffer.compare(bytes, first) < 0) || (last && Buffer.compare(bytes, last) > 0)) {
        throw corrupt(row, `${JSON.stringify(value)} lies outside the row group's statistics`);
      }
    },
    missing() {
      missing++;
    },
    done() {
      if (statistics.nulls !== null && missing !== statistics.nulls)
        throw corrupt(0, `${missing} nulls, the statistics say ${statistics.nulls}`);
    },
  };
}

/** A bound cut in the middle of a character says nothing that can be compared. */
function textBound(bound: unknown): Buffer | null {
  return typeof bound === 'string' && !bound.includes('\ufffd') ? Buffer.from(bound) : null;
}

function isSorted(times: Float64Array): boolean {
  for (let row = 1; row < times.length; row++)
    if ((times[row] as number) < (times[row - 1] as number)) return false;
  return true;
}

/** One range a column. */
function scanOf(columns: readonly ColumnRole[], { chunks }: RowGroupFooter): SourceScan {
  const sizes = columns.map((role) => {
    const { from, to } = chunkRange(chunks[role]);
    return to - from;
  });
  return { requests: sizes.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
