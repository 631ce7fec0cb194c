/** What a plot of events shows, and its axes. Pure functions; DosePlot.vue draws them. */
import type { FieldInfo } from "../../shared/api/schema";
import type { Row } from "../../shared/dose/row";
import { findField } from "../../shared/dose/fields";
import { scaled } from "../../shared/format";
import { groupRows } from "./events";

interface PlotInfo {
  /** "time": over the time since the first event. "bars": one bar an event, in their order. */
  kind: "time" | "bars";
  /** Fields to choose from. */
  values: string[];
  /** Events that have the same of this have one colour and one sign. */
  by: string;
  /** Said of an event beside its number and value. */
  say: string[];
}

// By modality: where people rather look than read.
const PLOTS: Record<string, PlotInfo> = {
  CT: {
    kind: "bars",
    values: ["mean_ctdivol"],
    by: "ctdiw_phantom_type",
    say: ["acquisition_protocol", "ct_acquisition_type", "dlp", "ctdiw_phantom_type"],
  },
  RF: {
    kind: "time",
    values: ["dap", "dose_rp"],
    by: "irradiation_event_type",
    say: [
      "irradiation_event_type",
      "acquisition_plane",
      "acquisition_protocol",
      "irradiation_duration",
    ],
  },
};
const LEAST = 2;

export interface PlotPoint {
  row: Row;
  /** Seconds since the first event, or the place in the order. */
  x: number;
  /** In the unit that is shown. */
  y: number;
  series: number;
}

export interface Plot {
  /** "order" where times are wanted and not all events have one. */
  x: "time" | "order" | "bars";
  field: FieldInfo;
  say: FieldInfo[];
  series: { title: string | null }[];
  points: PlotPoint[];
  /** Events without the value. */
  missing: number;
}

/** Fields of the modality that two or more of the events have. */
export function plotFields(modality: string, table: string, events: Row[]): FieldInfo[] {
  return (PLOTS[modality]?.values ?? []).flatMap((name) => {
    const field = findField(table, name);
    return field && events.filter((row) => typeof row[name] === "number").length >= LEAST
      ? [field]
      : [];
  });
}

export function plotOf(modality: string, table: string, events: Row[], field: FieldInfo): Plot {
  const { kind, by, say } = PLOTS[modality]!;
  const given = events.filter((row) => typeof row[field.name] === "number");
  const groups = groupRows(given, by);
  const seriesOf = new Map(groups.flatMap(({ rows }, at) => rows.map((row) => [row, at] as const)));
  const times = given.map((row) => secondsOf(row.datetime_started));
  const timed = kind === "time" && times.every((one) => one !== null) && new Set(times).size > 1;
  const first = Math.min(...events.map((row) => secondsOf(row.datetime_started) ?? Infinity));
  return {
    x: timed ? "time" : kind === "bars" ? "bars" : "order",
    field,
    say: say.flatMap((name) => findField(table, name) ?? []),
    series: groups.map(({ title }) => ({ title })),
    points: given.map((row, at) => ({
      row,
      x: timed ? times[at]! - first : at,
      y: scaled(row[field.name] as number, field),
      series: seriesOf.get(row)!,
    })),
    missing: events.length - given.length,
  };
}

/** A time of a study as seconds, as it stands on the wall: all events of a study have the same zone. */
function secondsOf(moment: unknown): number | null {
  if (typeof moment !== "string") return null;
  const milliseconds = Date.parse(
    moment.replace(/(?:Z|[+-]\d\d:?\d\d)$/, "").replace(" ", "T") + "Z",
  );
  return Number.isNaN(milliseconds) ? null : milliseconds / 1000;
}

/** Round numbers from 0 to at least `largest`, about `wanted` steps. */
export function ticks(largest: number, wanted: number): number[] {
  if (!(largest > 0)) return [0, 1];
  const rough = largest / Math.max(wanted, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= rough * 0.999)!;
  const count = Math.ceil(largest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, at) => Number((at * step).toPrecision(12)));
}

/** The unit in which a span of seconds is read, and how many seconds it has. */
export function timeUnit(seconds: number): { unit: string; length: number } {
  if (seconds <= 180) return { unit: "s", length: 1 };
  return seconds <= 3 * 3600 ? { unit: "min", length: 60 } : { unit: "h", length: 3600 };
}
