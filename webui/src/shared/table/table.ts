/** What a table of data consists of (DataTable.vue shows it; DataTable.md explains it). R: a row. */
import type { RouteLocationRaw } from "vue-router";

export interface Column<R> {
  /** Its name in slots and sorting; unique in the table. */
  key: string;
  /** Its head. Screen readers need one even where `hidesTitle` keeps it off the screen. */
  title: string;
  hidesTitle?: boolean;
  /** What belongs to the title: its unit, the field that it is a part of, its explanation. */
  unit?: string | null;
  unitHint?: string;
  partOf?: string | null;
  hint?: string;
  /** A title over this column and its neighbours with the same one. */
  group?: string;
  /** Numbers stand to the right, with digits of one width. */
  number?: boolean;
  /** Texts of any length: break between lines, or are cut off at the end. Otherwise a cell is one line. */
  flow?: "wrap" | "clip";
  /** Lengths in CSS. `maxWidth` is that of each cell. */
  width?: string;
  minWidth?: string;
  maxWidth?: string;
  /** The cell names its row. */
  head?: boolean | ((row: R) => boolean);
  /** What a cell says, where no slot fills it. */
  text?: (row: R) => string;
  /** The explanation of a cell, and classes of cells; `headClass` is that of the head alone. */
  cellHint?: (row: R) => string | undefined;
  class?: unknown;
  cellClass?: (row: R) => unknown;
  headClass?: unknown;
  /** The page sorts by it, or, with `sortBy`, the table itself; what is missing stands last in either order. */
  sortable?: boolean;
  sortBy?: (row: R) => string | number | null | undefined;
  /** The first click sorts from the largest; without it, numbers only. */
  startsDown?: boolean;
  /** Its place where rows are cards: a line of its own, the first or the last one, half a line, or none. */
  card?: "line" | "first" | "last" | "half" | "none";
  /** The title beside the value where rows are cards. */
  cardTitle?: "before" | "after";
}

export interface Sort {
  key: string;
  down: boolean;
}

export type SortLink = (sort: Sort) => RouteLocationRaw;

/** Rows that stand together, as a `tbody`; the slot `group` gives them a head. */
export interface RowGroup<R> {
  key: string | number;
  rows: R[];
}

/** Check boxes in front of rows. */
export interface Selection<R> {
  /** Whether the row is chosen, or some of what it stands for; null: it has no box. */
  state: (row: R) => boolean | "some" | null;
  label: (row: R) => string;
  toggle: (row: R, chosen: boolean) => void;
  hint?: string;
  /** Chosen rows look like all others. */
  quiet?: boolean;
  disabled?: (row: R) => boolean;
  /** A change is under way. A box that was switched off meanwhile would lose the focus. */
  waits?: boolean;
  /** The box in the head: its label and its state. */
  all?: { label: string; state: boolean | "some"; toggle: () => void };
}

/** A button in front of a row that shows what the slot `below` says of it. */
export interface Unfolding<R> {
  /** null: the row has no button. */
  open: (row: R) => boolean | null;
  label: (row: R) => string;
  toggle: (row: R) => void;
  hint?: string;
}

/** The order that a click on a column's head asks for. */
export function nextSort<R>(column: Column<R>, sort: Sort | null): Sort {
  const again = sort?.key === column.key;
  const first = column.startsDown ?? column.number ?? false;
  return { key: column.key, down: again ? !sort.down : first };
}

export function sortRows<R>(rows: R[], columns: Column<R>[], sort: Sort | null): R[] {
  const by = sort && columns.find(({ key }) => key === sort.key)?.sortBy;
  if (!by) return rows;
  return [...rows].sort((one, other) => {
    const [a, b] = [by(one) ?? "", by(other) ?? ""];
    if ((a === "") !== (b === "")) return a === "" ? 1 : -1;
    const order =
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true, sensitivity: "base" });
    return sort.down ? -order : order;
  });
}

/** The heads over columns: each with its title, "" for columns without one, and the number of columns that it spans. */
export function headGroups<R>(columns: Column<R>[]): { title: string; columns: Column<R>[] }[] {
  const found: { title: string; columns: Column<R>[] }[] = [];
  for (const column of columns) {
    const last = found.at(-1);
    const title = column.group ?? "";
    if (last && title && last.title === title) last.columns.push(column);
    else found.push({ title, columns: [column] });
  }
  return found;
}
