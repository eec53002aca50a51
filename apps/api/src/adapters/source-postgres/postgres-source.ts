/**
 * History in a table of PostgreSQL, in order of time and id. What one reading gives is one snapshot; it goes on behind a place with a new one.
 *
 * Point it at a replica where there is one: a scan reads the whole table once, and a reading holds a snapshot for as long as it takes.
 */

import { isLoopback } from '../../config.ts';
import { EVENT_TIMES } from '../../data-plane/event-limits.ts';
import type {
  HistoryBatch,
  HistoryCounts,
  HistoryDescription,
  HistorySource,
  Reach,
  TimeRange,
} from '../../data-plane/ports.ts';
import { isSocketFolder, nameOf, type PostgresTarget } from '../../postgres-target.ts';
import { Batching } from '../source-rows/batching.ts';
import { RowReading } from '../source-rows/row.ts';
import { type SourceMap, sourceMap } from '../source-rows/source-map.ts';
import { orAborted } from '../source-rows/turn.ts';
import { checkConfig, type PostgresSourceConfig } from './config.ts';
import { Connections, type Snapshot } from './connections.ts';
import { msOf, type Scan, sampleLarge, scanAll } from './scan.ts';
import { Statements } from './statements.ts';
import { lookAtTable, shownTable, type Table, versionOf } from './table.ts';

type ReadRequest = Parameters<HistorySource['read']>[0];

const STATEMENT_TIMEOUT_MS = 30_000;
const LOOK_TIMEOUT_MS = 5_000;
/** A scan is one statement. */
const SCAN_TIMEOUT_MS = 900_000;
const CONNECTIONS_MAX = 4;
/** As many as are scanned in about two minutes. */
const EXACT_ROWS_MAX = 50_000_000;

export function openPostgresSource(config: PostgresSourceConfig): HistorySource {
  const checked = checkConfig(config);
  return new PostgresSource(checked.config, checked.target);
}

class PostgresSource implements HistorySource {
  readonly reach: Reach;
  readonly #config: PostgresSourceConfig;
  readonly #target: PostgresTarget;
  readonly #sources: SourceMap;
  readonly #keys: readonly (readonly string[] | null)[];
  readonly #connections: Connections;
  readonly #reading: RowReading;
  readonly #closing = new AbortController();
  /** The last one made, for what need not be newer. */
  #scanned: Promise<Scan> | null = null;
  /** As it was last looked at. */
  #version: string | undefined;

  constructor(config: PostgresSourceConfig, target: PostgresTarget) {
    this.#config = config;
    this.#target = target;
    this.reach = isSocketFolder(target.host) || isLoopback(target.host) ? 'local' : 'network';
    this.#sources = sourceMap(config.sources);
    this.#keys = Object.values(config.sources);
    this.#connections = new Connections(target, shownTable(config), config.connectionsMax ?? CONNECTIONS_MAX);
    this.#reading = new RowReading(config.columns, 'text', this.#sources);
  }

  async describe(): Promise<HistoryDescription> {
    const { fingerprint, range, rows, bytes } = await this.#scanAnew();
    return { fingerprint, range, rows, bytes };
  }

  /** While all connections are reading nobody waits for one to look: it is as it was, or unknown, until there is one. */
  async version(): Promise<string | undefined> {
    if (this.#connections.busy) return this.#version;
    const snapshot = await this.#connections.open(LOOK_TIMEOUT_MS, this.#closing.signal);
    try {
      this.#version = await versionOf(snapshot, this.#config);
      return this.#version;
    } finally {
      await snapshot.release();
    }
  }

  async count(stepMs: number): Promise<HistoryCounts> {
    const { counts, estimated } = await this.#lastScan();
    return counts.counts(stepMs, estimated);
  }

  read(request: ReadRequest): AsyncIterable<HistoryBatch> {
    const source = this.#sources.ids.indexOf(request.sourceId);
    if (source < 0) throw new RangeError(`${nameOf(this.#target)} feeds no source ${request.sourceId}`);
    return this.#read(request, source);
  }

  close(): Promise<void> {
    this.#closing.abort(new Error('the source is closed'));
    return this.#connections.close();
  }

  async *#read(
    { sourceId, range, after, maxEvents, signal, scanned }: ReadRequest,
    source: number,
  ): AsyncGenerator<HistoryBatch> {
    const batching = new Batching(maxEvents);
    let place = after === null ? null : placeOf(after);
    signal.throwIfAborted();
    const held = await orAborted(this.#lastScan(), signal);
    const clipped = {
      from: Math.max(range.from, EVENT_TIMES.from),
      to: Math.min(range.to, EVENT_TIMES.to),
    };
    const untimed = held.untimed && range.from <= held.range.from && held.range.from < range.to;
    if (clipped.from >= clipped.to) return;
    const snapshot = await this.#connections.open(
      this.#config.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
      signal,
    );
    try {
      const statements = new Statements(held.table, this.#keys);
      const phases = [...(untimed && (place === null || place.at === null) ? [null] : []), clipped];
      for (const phase of phases) {
        if (phase !== null && place?.at === null) place = null;
        for (;;) {
          const rows = await this.#rows(snapshot, statements, { source, phase, place, limit: maxEvents });
          scanned?.({ requests: 1, bytes: snapshot.takeBytes() });
          for (const row of rows) this.#take(batching, row, sourceId, held.range.from);
          const last = rows.at(-1);
          if (last === undefined) break;
          place = { at: last.at, id: last.id };
          yield batching.batch(`${last.at ?? UNTIMED}:${last.id}`);
          signal.throwIfAborted();
          if (rows.length < maxEvents) break;
        }
      }
    } finally {
      await snapshot.release();
    }
  }

  async #rows(
    snapshot: Snapshot,
    statements: Statements,
    asked: { source: number; phase: TimeRange | null; place: Place | null; limit: number },
  ): Promise<readonly Found[]> {
    const { source, phase, place, limit } = asked;
    const { text, values } =
      phase === null
        ? statements.untimed(source, place?.id ?? null, limit)
        : statements.timed(source, phase, place as { at: string; id: string } | null, limit);
    return (await snapshot.query(text, values)) as unknown as readonly Found[];
  }

  #take(batching: Batching, found: Found, sourceId: string, untimedAt: number): void {
    const { fault, at, key, value } = this.#reading.row(
      { line: 0, endByte: null, endLine: 0 },
      { time: found.at ?? found.shown, key: found.key, value: measureOf(found.value), id: found.id },
    );
    const { columns } = this.#config;
    if (fault === null) batching.event({ id: found.id, sourceId, key, at: at ?? untimedAt, value });
    else
      batching.quarantine({
        sourceId,
        address: `${shownTable(this.#config)} ${columns.id} ${found.id}`,
        ...fault,
      });
  }

  #lastScan(): Promise<Scan> {
    return this.#scanned ?? this.#scanAnew();
  }

  #scanAnew(): Promise<Scan> {
    const scanning = this.#scan();
    this.#scanned = scanning;
    scanning.catch(() => {
      if (this.#scanned === scanning) this.#scanned = null;
    });
    return scanning;
  }

  async #scan(): Promise<Scan> {
    const snapshot = await this.#connections.open(SCAN_TIMEOUT_MS, this.#closing.signal);
    try {
      const table: Table = await lookAtTable(snapshot, this.#config);
      const parts = { table, statements: new Statements(table, this.#keys), sourceIds: this.#sources.ids };
      const { rowsEstimated } = table;
      return rowsEstimated !== null && rowsEstimated > (this.#config.exactRowsMax ?? EXACT_ROWS_MAX)
        ? await sampleLarge(snapshot, { ...parts, rowsEstimated })
        : await scanAll(snapshot, parts);
    } finally {
      await snapshot.release();
    }
  }
}

interface Found {
  readonly at: string | null;
  /** As the session writes it; of a row without a usable time. */
  readonly shown?: string | null;
  readonly key: string | null;
  readonly value: string | null;
  readonly id: string;
}

/** Behind which to go on: a time as the statements write it, or null among the rows that have none. */
interface Place {
  readonly at: string | null;
  readonly id: string;
}

const UNTIMED = 'untimed';

function placeOf(cursor: string): Place {
  const match = /^(untimed|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}):(.*)$/s.exec(cursor);
  if (match === null) throw new RangeError(`${JSON.stringify(cursor)} is no cursor of a PostgreSQL source`);
  const [, at, id] = match as unknown as [string, string, string];
  if (at !== UNTIMED) msOf(at);
  return { at: at === UNTIMED ? null : at, id };
}

/** Integers as they are, whatever zeros or exponent their type writes them with. */
function measureOf(text: string | null): unknown {
  if (text === null || !/[.e]/i.test(text)) return text;
  const whole = text.replace(/\.0+$/, '');
  return /^-?\d+$/.test(whole) ? whole : /e/i.test(text) ? Number(text) : text;
}
