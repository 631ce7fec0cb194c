/** Rows of the table of events: each event, and a row for each of its tubes where there are several. */
import type { Row } from "../../shared/dose/row";
import { cellOf, subRowsOf, type Cell, type Column } from "../../shared/dose/columns";

export interface TableRow {
  event: Row;
  /** Of a tube: what it is called, and how many columns without a value of its own that may take. */
  tube: { title: string; span: number } | null;
  /** By the keys of the columns. */
  cells: Record<string, Cell>;
  /** The last row of its event. */
  last: boolean;
}

export function tableRows(event: Row, columns: Column[]): TableRow[] {
  const byKey = (cells: Cell[]) =>
    Object.fromEntries(columns.map(({ key }, number) => [key, cells[number]!]));
  const own = { event, tube: null, cells: byKey(columns.map((column) => cellOf(event, column))) };
  const tubes = subRowsOf(event, columns).map(({ title, cells }) => {
    const first = cells.findIndex(({ text }) => text !== "");
    return { event, tube: { title, span: Math.max(first, 1) }, cells: byKey(cells) };
  });
  const all = [own, ...tubes];
  return all.map((row, number) => ({ ...row, last: number === all.length - 1 }));
}
