/**
 * What the decode thread is asked and what it answers. It decodes and nothing else: the bytes it needs it asks for, so that who reads them, with
 * which credentials and over which connections, stays on the other side.
 */
import type { SourceError } from '../../data-plane/ports.ts';
import type { StoredObject } from '../source-objects/objects.ts';
import type { ParquetFormat } from './config.ts';
import type { RowGroupCounts } from './count.ts';
import type { ObjectLayout, RowGroupLayout } from './layout.ts';
import type { RowGroupColumns } from './row-group.ts';

/** `object` names the version the layout was made of; another one there by now is an error, not a mixture. */
export type DecodeRequest = { readonly object: StoredObject } & (
  | { readonly kind: 'layout' }
  | { readonly kind: 'group'; readonly group: RowGroupLayout }
  | { readonly kind: 'count'; readonly group: RowGroupLayout; readonly stepMs: number }
);

export interface DecodeResults {
  readonly layout: ObjectLayout;
  readonly group: RowGroupColumns;
  readonly count: RowGroupCounts;
}

interface Failure {
  readonly code: SourceError['code'];
  readonly detail: string;
  readonly address: string | null;
}

/** To the thread: a request, or the bytes it has asked for. */
export type ToThread =
  | { readonly type: 'request'; readonly request: DecodeRequest }
  | { readonly type: 'bytes'; readonly bytes: ArrayBuffer }
  | ({ readonly type: 'unread' } & Failure);

/** From the thread: bytes are wanted, or the answer to the request. */
export type FromThread =
  | { readonly type: 'read'; readonly from: number; readonly to: number }
  | { readonly type: 'result'; readonly result: DecodeResults[keyof DecodeResults] }
  | ({ readonly type: 'failure' } & Failure);

/** What a decode thread is started with. */
export type DecodeThreadData = Pick<ParquetFormat, 'columns' | 'sources'>;
