import type { ReactNode } from 'react';
import styles from './row-table.module.css';
import { SpokenCaption } from './spoken-caption.tsx';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
  /** What the row is about: its header. */
  readonly head?: boolean;
  /** Numbers and buttons stand at the end of the line. */
  readonly end?: boolean;
}

interface RowTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly idOf: (row: Row) => string;
  readonly stale?: boolean;
  /** Many rows of one line each. */
  readonly dense?: boolean;
}

/** Rows of the same shape, in the order given; on a narrow screen each becomes a card whose lines carry the column's title. */
export function RowTable<Row>({
  caption,
  columns,
  rows,
  idOf,
  stale = false,
  dense = false,
}: RowTableProps<Row>) {
  return (
    <div className={styles.scroll} data-stale={stale || undefined} data-dense={dense || undefined}>
      <table className={styles.table}>
        <SpokenCaption>{caption}</SpokenCaption>
        <thead>
          <tr>
            {columns.map(({ title, end }) => (
              <th key={title} scope="col" data-end={end || undefined}>
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={idOf(row)} data-row={idOf(row)}>
              {columns.map(({ title, cell, head, end }) =>
                head ? (
                  <th key={title} scope="row">
                    {cell(row)}
                  </th>
                ) : (
                  <td key={title} data-title={title} data-end={end || undefined}>
                    {cell(row)}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A second, quieter line of a cell. */
export function CellNote({ children }: { readonly children: ReactNode }) {
  return <span className={styles.note}>{children}</span>;
}

/** This row has nothing to say here. */
export function Dash() {
  return <span className={styles.dash}>—</span>;
}
