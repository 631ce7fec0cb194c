/** The columns of an events table, and the cells of its rows. Modalities differ by their fields only. */
import type { FieldInfo, MarksEntry } from "../api/schema";
import type { Row } from "./row";
import { isEmpty, isNumeric, marksAt, titleOf } from "./fields";
import { decimalsFor, formatValue, hintOf, NOTHING, scaled } from "../format";
import { t } from "../language/i18n";

/** A column: a field of the table, or a field of the structs in one ("xray_sources.kvp"). */
export interface Column {
  key: string;
  field: FieldInfo;
  parent: FieldInfo | null;
  numeric: boolean;
  decimals: number | undefined;
  /** Shown unless somebody chose otherwise. */
  leading: boolean;
}

export interface Cell {
  text: string;
  hint: string | undefined;
  marks: MarksEntry[];
}

/** A line below the row of an event: one of several structs in it. */
export interface SubRow {
  title: string;
  cells: Cell[];
}

// Says something only where it differs from row to row.
const WHERE_DIFFERENT = new Set(["acquisition_plane", "source"]);
// Of the row's own bookkeeping, not of the irradiation.
const NEVER = new Set(["study_id", "marks", "id"]);
// Where a record has several of them, each gets a line of its own below the record: the tubes of dual-source CT.
const IN_LINES = "xray_sources";

/** The columns in which any of the rows has something; those that are looked at `first` lead, in their order. */
export function columnsOf(fields: FieldInfo[], rows: Row[], first: string[]): Column[] {
  const leading = new Map(first.map((key, rank) => [key, rank]));
  const columns: Column[] = [];
  for (const field of fields) {
    if (NEVER.has(field.name) || field.type === "bytes") continue;
    if (field.type === "structs") {
      for (const inner of field.fields) {
        if (inner.type === "structs") continue;
        const column = makeColumn(`${field.name}.${inner.name}`, inner, field, rows);
        if (column) columns.push(column);
      }
    } else {
      const column = makeColumn(field.name, field, null, rows);
      if (column) columns.push(column);
    }
  }
  for (const column of columns) {
    const alike =
      WHERE_DIFFERENT.has(column.key) &&
      rows.every((row) => compareRows(row, rows[0]!, column) === 0);
    column.leading = leading.has(column.key) && !alike;
  }
  const rank = (column: Column) => leading.get(column.key) ?? leading.size;
  return columns.sort((a, b) => rank(a) - rank(b));
}

function makeColumn(
  key: string,
  field: FieldInfo,
  parent: FieldInfo | null,
  rows: Row[],
): Column | null {
  const numbers: number[] = [];
  let used = false;
  for (const row of rows) {
    if (!used && marksAt(row, key).length) used = true;
    for (const value of valuesOf(row, field, parent)) {
      if (isEmpty(value)) continue;
      used = true;
      if (field.type === "number" && typeof value === "number") numbers.push(scaled(value, field));
    }
  }
  if (!used) return null;
  const decimals = field.type === "number" ? decimalsFor(numbers) : undefined;
  return {
    key,
    field,
    parent,
    numeric: isNumeric(field) && field.type !== "numbers",
    decimals,
    leading: false,
  };
}

function structsOf(row: Row, parent: FieldInfo): Row[] {
  const structs = row[parent.name];
  return Array.isArray(structs) ? (structs as Row[]) : [];
}

function valuesOf(row: Row, field: FieldInfo, parent: FieldInfo | null): unknown[] {
  return parent ? structsOf(row, parent).map((one) => one[field.name]) : [row[field.name]];
}

// Longer text than this may be cut off by its column.
const LONG = 24;
const EMPTY: Cell = { text: "", hint: undefined, marks: [] };

/** What stands in the row under the column, in one line: the values of several structs (filters) side by side. */
export function cellOf(row: Row, column: Column): Cell {
  const marks = marksAt(row, column.key);
  const values = valuesOf(row, column.field, column.parent);
  if (column.parent?.name === IN_LINES && values.length > 1) return { ...EMPTY, marks };
  return { ...textOf(values, column), marks };
}

/** The lines below a row, each with a cell a column. */
export function subRowsOf(row: Row, columns: Column[]): SubRow[] {
  const parent = columns.find((column) => column.parent?.name === IN_LINES)?.parent;
  const structs = parent ? structsOf(row, parent) : [];
  if (!parent || structs.length < 2) return [];
  const name = parent.fields[0];
  return structs.map((struct, at) => ({
    title: [titleOf(name ?? parent), (name && struct[name.name]) || at + 1].join(" "),
    cells: columns.map((column) =>
      column.parent === parent
        ? { ...textOf([struct[column.field.name]], column), marks: [] }
        : EMPTY,
    ),
  }));
}

function textOf(values: unknown[], column: Column): Omit<Cell, "marks"> {
  const { field, decimals } = column;
  const first = values[0];
  if (field.type === "numbers" && Array.isArray(first) && first.length > 0) {
    return { text: t("study.values", first.length), hint: formatValue(first, field) };
  }
  const text = values.map((value) => formatValue(value, field, decimals)).join(" / ") || NOTHING;
  const code = values.length === 1 ? hintOf(first, field) : undefined;
  return {
    text,
    hint: column.numeric || text.length <= LONG ? code : [text, code].filter(Boolean).join("\n"),
  };
}

/** For sorting by a column: numbers by size, all else by what is read; nothing comes last. */
export function compareRows(a: Row, b: Row, column: Column): number {
  const [x, y] = [a, b].map((row) => valuesOf(row, column.field, column.parent)[0]);
  if (isEmpty(x) || isEmpty(y)) return isEmpty(x) ? (isEmpty(y) ? 0 : 1) : -1;
  if (typeof x === "number" && typeof y === "number") return x - y;
  return formatValue(x, column.field).localeCompare(formatValue(y, column.field), undefined, {
    numeric: true,
  });
}
