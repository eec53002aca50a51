/** Where the bytes of a history lie, whoever keeps them: files below a folder, or objects below a prefix of an object store. */
import { nameFault } from '../../data-plane/event-limits.ts';
import { type Reach, SourceError } from '../../data-plane/ports.ts';

/** One of them, as it was when it was listed. Plain data. */
export interface StoredObject {
  /** As ids and addresses name it: below the folder or prefix, with slashes; of a single one its own name. */
  readonly name: string;
  /** As messages name it, so that it can be found. */
  readonly path: string;
  readonly bytes: number;
  /** Tells two versions of it apart without reading it. */
  readonly version: string;
}

export interface OpenObject {
  /**
   * Exactly the bytes `[from, to)`, which lie inside it.
   * Errors: `source_unavailable` when it is not the version it was; {@link SourceError} for whatever else its keeper says.
   */
  read(from: number, to: number): Promise<Buffer>;
  close(): Promise<void>;
}

export interface ObjectPlace {
  readonly reach: Reach;
  /** For messages. */
  readonly shown: string;
  /** How much is read at once where a reader goes on and on: at first, and at most. */
  readonly pieceBytes: { readonly first: number; readonly most: number };
  /** Each read is a request that is counted, and perhaps paid for. */
  readonly paysByRead: boolean;
  /** The least time between two listings, ms, when nobody asks for the version. */
  readonly lookMs: number;
  /** In the order of their names, at least one. Errors: `source_missing`, `source_denied`, `source_unavailable`. */
  list(): Promise<readonly StoredObject[]>;
  /** Errors: `source_unavailable` when it is not the version it was. */
  open(object: StoredObject): Promise<OpenObject>;
  /** What its content is known by, without decoding it. */
  fingerprint(object: StoredObject): Promise<string>;
  close(): Promise<void>;
}

export type ObjectKind = 'jsonl' | 'csv' | 'parquet';

const endings: Readonly<Record<ObjectKind, RegExp>> = {
  jsonl: /\.(jsonl|ndjson)(\.(gz|zst))?$/i,
  csv: /\.(csv|tsv)(\.(gz|zst))?$/i,
  parquet: /\.parquet$/i,
};

/** Whether it is history, by its name: what begins with a dot or an underscore, at any depth, is left out. */
export function isOfKind(name: string, kind: ObjectKind): boolean {
  return endings[kind].test(name) && !/(^|\/)[._]/.test(name);
}

/** What stands behind the name in the id of a row: a mark, and its number. */
const ID_ENDING = `#${Number.MAX_SAFE_INTEGER}`;

/** Where rows are named by their object. Errors: `source_schema` with one whose name leaves no room for it. */
export function refuseLongNames(objects: readonly StoredObject[]): void {
  const long = objects.find(({ name }) => nameFault(name + ID_ENDING) !== null);
  if (long === undefined) return;
  throw new SourceError(
    'source_schema',
    `the name of ${long.path} is too long for the ids of its rows`,
    long.name,
  );
}

/** It is to be read again, as what it is now. */
export function changedMeanwhile(path: string): SourceError {
  return new SourceError('source_unavailable', `${path} was changed while it was read`);
}
