/** Which columns of an events table come first, and the cells of its rows. Modalities differ by their fields only. */
import { findMark, isEmpty, isNumeric } from "./fields";
import { decimalsFor, formatValue, hintOf, scaled } from "./format";
import type { FieldInfo, Mark, Row } from "./types";

/** A column: a field of the table, or a field of the structs in one ("xray_sources.kvp"). */
export interface Column {
  key: string;
  field: FieldInfo;
  parent: FieldInfo | null;
  numeric: boolean;
  decimals: number | undefined;
}

export interface Cell {
  lines: string[];
  hint: string | undefined;
  mark: Mark | undefined;
}

// What people look at first, in this order, as far as the records have it.
const LEADING = [
  "event_number",
  "datetime_started",
  "irradiation_event_type",
  "ct_acquisition_type",
  "acquisition_plane",
  "acquisition_protocol",
  "target_region",
  "anatomical_structure",
  "laterality",
  "image_view",
  "mean_ctdivol",
  "dlp",
  "ctdiw_phantom_type",
  "dap",
  "dose_rp",
  "average_glandular_dose",
  "xray_sources.kvp",
  "xray_sources.xray_tube_current",
  "xray_sources.exposure_time_per_rotation",
  "kvp",
  "xray_tube_current",
  "exposure_time",
  "exposure",
  "pulse_rate",
  "number_of_pulses",
  "irradiation_duration",
  "scanning_length",
  "pitch_factor",
  "compression_thickness",
  "compression_force",
  "anode_target_material",
  "xray_filters.material",
  "xray_filters.thickness_maximum",
  "positioner_primary_angle",
  "positioner_secondary_angle",
  "exposure_index",
  "deviation_index",
  "comment",
];
const RANK = new Map(LEADING.map((key, rank) => [key, rank]));
// Of the row's own bookkeeping, not of the irradiation.
const NEVER = new Set(["study_id", "marks", "id"]);

export const isLeading = (column: Column): boolean => RANK.has(column.key);

/** The columns in which any of the rows has something, leading ones first. */
export function columnsOf(fields: FieldInfo[], rows: Row[]): Column[] {
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
  const rank = (column: Column) => RANK.get(column.key) ?? LEADING.length;
  return columns.map((column, at) => ({ column, at })).sort((a, b) => rank(a.column) - rank(b.column) || a.at - b.at)
    .map(({ column }) => column);
}

function makeColumn(key: string, field: FieldInfo, parent: FieldInfo | null, rows: Row[]): Column | null {
  const numbers: number[] = [];
  let used = false;
  for (const row of rows) {
    if (!used && findMark(row, key)) used = true;
    for (const value of valuesOf(row, field, parent)) {
      if (isEmpty(value)) continue;
      used = true;
      if (field.type === "number" && typeof value === "number") numbers.push(scaled(value, field));
    }
  }
  if (!used) return null;
  const decimals = field.type === "number" ? decimalsFor(numbers) : undefined;
  return { key, field, parent, numeric: isNumeric(field) && field.type !== "numbers", decimals };
}

function valuesOf(row: Row, field: FieldInfo, parent: FieldInfo | null): unknown[] {
  if (!parent) return [row[field.name]];
  const structs = row[parent.name];
  return Array.isArray(structs) ? (structs as Row[]).map((one) => one[field.name]) : [];
}

/** What stands in the row under the column: one line, or one line a struct, so that they read across as sub-rows. */
export function cellOf(row: Row, column: Column): Cell {
  const { field, parent, decimals } = column;
  const values = valuesOf(row, field, parent);
  const first = values[0];
  if (field.type === "numbers" && Array.isArray(first) && first.length > 0) {
    return { lines: [`${first.length} values`], hint: formatValue(first, field), mark: findMark(row, column.key) };
  }
  return {
    lines: values.map((value) => formatValue(value, field, decimals)),
    hint: values.length === 1 ? hintOf(first, field) : undefined,
    mark: findMark(row, column.key),
  };
}

/** For sorting by a column: numbers by size, all else by what is read; nothing comes last. */
export function compareRows(a: Row, b: Row, column: Column): number {
  const [x, y] = [a, b].map((row) => valuesOf(row, column.field, column.parent)[0]);
  if (isEmpty(x) || isEmpty(y)) return isEmpty(x) ? (isEmpty(y) ? 0 : 1) : -1;
  if (typeof x === "number" && typeof y === "number") return x - y;
  return formatValue(x, column.field).localeCompare(formatValue(y, column.field), undefined, { numeric: true });
}
