/** Irradiation events by type and plane, their totals, and what dose check said about them. Pure functions. */
import type { Row } from "../../shared/dose/row";
import { DOSE_CHECK } from "../../shared/facts";
import { isEmpty } from "../../shared/dose/fields";
import { formatValue, isCode } from "../../shared/format";

/** A sum of values. It is formed only where every row has the value: `value` is null otherwise. */
export interface Total {
  value: number | null;
  given: number;
  rows: number;
}

export interface EventGroup {
  key: string;
  title: string | null;
  rows: Row[];
}

// Events of these modalities are read by what kind of irradiation they are.
const GROUPED_BY: Record<string, string> = { RF: "irradiation_event_type" };
const PLANE = "acquisition_plane";

/** The field by which events of the modality are grouped, null where they are not. */
export function groupedBy(modality: string): string | null {
  return GROUPED_BY[modality] ?? null;
}

/** Codes are compared, not what they are called: makers write one code with several meanings. */
function keyOf(value: unknown): string {
  if (isCode(value))
    return value.value ? `${value.scheme ?? ""} ${value.value}` : (value.meaning ?? "");
  return isEmpty(value) ? "" : String(value);
}

/** Rows with the same value of a field together, in the order in which the values come first. */
export function groupRows(rows: Row[], field: string): EventGroup[] {
  const groups = new Map<string, EventGroup>();
  for (const row of rows) {
    const key = keyOf(row[field]);
    const group = groups.get(key);
    if (group) group.rows.push(row);
    else groups.set(key, { key, title: key ? formatValue(row[field]) : null, rows: [row] });
  }
  return [...groups.values()];
}

export function byPlane(rows: Row[]): EventGroup[] {
  return groupRows(rows, PLANE).sort((a, b) => (a.title ?? "~").localeCompare(b.title ?? "~"));
}

export function totalOf(rows: Row[], field: string): Total {
  let sum = 0;
  let given = 0;
  for (const row of rows) {
    const value = row[field];
    if (typeof value !== "number") continue;
    sum += value;
    given += 1;
  }
  return { value: given > 0 && given === rows.length ? sum : null, given, rows: rows.length };
}

export function hasValue(rows: Row[], field: string): boolean {
  return rows.some((row) => typeof row[field] === "number");
}

/** A kind of dose check, and one of its limits: names of fields of a CT event. */
export type DoseCheckKind = (typeof DOSE_CHECK)[number];
export type DoseLimit = DoseCheckKind["limits"][number];

const saysMore = (row: Row, kind: DoseCheckKind) =>
  !isEmpty(row[kind.reason]) ||
  kind.limits.some((one) => !isEmpty(row[one.value]) || !isEmpty(row[one.estimate]));
const says = (row: Row, kind: DoseCheckKind) =>
  saysMore(row, kind) ||
  kind.limits.some((one) => !isEmpty(row[one.configured])) ||
  kind.more.some((name) => !isEmpty(row[name]));

/** What dose check says: a row an event and kind with values, and how many events say only that nothing is configured. */
export function doseCheckOf(events: Row[]): {
  rows: { event: Row; kind: DoseCheckKind }[];
  without: number;
} {
  const rows = events.flatMap((event) =>
    DOSE_CHECK.filter((kind) => saysMore(event, kind)).map((kind) => ({ event, kind })),
  );
  const without = events.filter(
    (event) =>
      DOSE_CHECK.some((kind) => says(event, kind)) &&
      !DOSE_CHECK.some((kind) => saysMore(event, kind)),
  );
  return { rows, without: without.length };
}
