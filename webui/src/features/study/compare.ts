/** Studies side by side: rows of fields, which of them differ, and the events summed up. Pure functions. */
import type { FieldInfo } from "../../shared/api/schema";
import type { Row } from "../../shared/dose/row";
import { groupRows, totalOf, type Total } from "./events";
import { isEmpty, isNumeric } from "../../shared/dose/fields";
import { decimalsFor, formatWithUnit, NOTHING, scaled } from "../../shared/format";

export const MOST = 5;

/** Numbers of studies from an address: whole, each once, no more than fit beside each other. */
export function idsIn(text: unknown): number[] {
  if (typeof text !== "string") return [];
  const all = text
    .split(",")
    .filter((one) => /^\s*[1-9]\d{0,8}\s*$/.test(one))
    .map(Number);
  return [...new Set(all)].slice(0, MOST);
}

export interface CompareCell {
  text: string;
  /** The largest or smallest number of its row. */
  extreme: "largest" | "smallest" | null;
}

export interface CompareRow {
  key: string;
  title: string;
  description: string;
  numeric: boolean;
  differs: boolean;
  cells: CompareCell[];
}

/** The row of a field, or null where no study has it. A study that does not know the field has an empty cell. */
export function rowOf(
  field: FieldInfo,
  title: string,
  description: string,
  records: (Row | null)[],
): CompareRow | null {
  const values = records.map((record) => record?.[field.name]);
  if (values.every(isEmpty)) return null;
  const numeric = isNumeric(field) && field.type !== "numbers";
  const numbers = values.map((value) =>
    numeric && typeof value === "number" ? scaled(value, field) : null,
  );
  const decimals = decimalsFor(numbers.filter((one) => one !== null));
  const texts = values.map((value) => {
    if (isEmpty(value)) return NOTHING;
    return formatWithUnit(value, field, numeric ? decimals : undefined);
  });
  return {
    key: field.name,
    title,
    description,
    numeric,
    differs: new Set(texts).size > 1,
    cells: texts.map((text, at) => ({ text, extreme: extremeOf(numbers, at) })),
  };
}

function extremeOf(numbers: (number | null)[], at: number): CompareCell["extreme"] {
  const given = numbers.filter((one) => one !== null);
  const [largest, smallest] = [Math.max(...given), Math.min(...given)];
  if (given.length < 2 || largest === smallest || numbers[at] === null) return null;
  if (numbers[at] === largest) return "largest";
  return numbers[at] === smallest ? "smallest" : null;
}

// What an event was, and the dose that it is read by: the first that the events have.
const TYPES = ["ct_acquisition_type", "irradiation_event_type", "radiopharmaceutical_agent"];
const DOSES = ["dlp", "average_glandular_dose", "dap", "administered_activity"];
const PROTOCOL = "acquisition_protocol";

export interface EventSum {
  type: string | null;
  protocol: string | null;
  count: number;
  dose: Total;
}

/** The name of the dose that these events have, null where they have none. */
export function doseOf(events: Row[]): string | null {
  return DOSES.find((name) => events.some((row) => typeof row[name] === "number")) ?? null;
}

/** Events by type and protocol, by a key that is the same in all studies. */
export function sumsOf(events: Row[]): Map<string, EventSum> {
  const type = TYPES.find((name) => events.some((row) => !isEmpty(row[name])));
  const dose = doseOf(events);
  const sums = new Map<string, EventSum>();
  for (const byType of type ? groupRows(events, type) : [{ key: "", title: null, rows: events }]) {
    for (const { key, title, rows } of groupRows(byType.rows, PROTOCOL)) {
      sums.set(`${byType.key}\n${key}`, {
        type: byType.title,
        protocol: title,
        count: rows.length,
        dose: dose ? totalOf(rows, dose) : { value: null, given: 0, rows: rows.length },
      });
    }
  }
  return sums;
}
