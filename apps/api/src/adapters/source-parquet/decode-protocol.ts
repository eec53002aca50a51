/** What the decode thread is asked and what it answers. */
import type { SourceError } from '../../data-plane/ports.ts';
import type { ParquetSourceConfig } from './config.ts';
import type { RowGroupCounts } from './count.ts';
import type { FileLayout, RowGroupLayout } from './layout.ts';
import type { RowGroupColumns } from './row-group.ts';

/** `version` names the file the layout was made of; another one on the disk by now is an error, not a mixture. */
export type DecodeRequest =
  | { readonly kind: 'layout' }
  | { readonly kind: 'group'; readonly version: string; readonly group: RowGroupLayout }
  | {
      readonly kind: 'count';
      readonly version: string;
      readonly group: RowGroupLayout;
      readonly stepMs: number;
    };

export interface DecodeResults {
  readonly layout: FileLayout;
  readonly group: RowGroupColumns;
  readonly count: RowGroupCounts;
}

export type DecodeAnswer =
  | { readonly ok: true; readonly result: DecodeResults[keyof DecodeResults] }
  | {
      readonly ok: false;
      readonly code: SourceError['code'];
      readonly detail: string;
      readonly address: string | null;
    };

/** What a decode thread is started with. */
export type DecodeThreadData = Pick<ParquetSourceConfig, 'file' | 'columns' | 'sources'>;
