/** Routes of charts: what there is, the figure and the data of one, and what the user has chosen of them. */
import { addressOf, get, put, type Query } from "../../shared/api/api";
import type { Conditions } from "../../shared/dose/filters";
import { serverLanguage } from "../../shared/language/i18n";

/** What a chart measures or groups by: a filter, and the field that it looks at as "table.field". */
export interface ChartQuantity {
  filter: string;
  field: string;
  /** In the language of the page, as all words of charts are. */
  label: string;
  unit: string;
}

export interface Chart {
  name: string;
  title: string;
  modality: string;
  level: "study" | "event";
  kind: "average" | "frequency" | "time" | "workload" | "scatter";
  measure: ChartQuantity | null;
  grouping: ChartQuantity | null;
  against: ChartQuantity | null;
  /** The ways to look at it, the usual one first. */
  views: string[];
}

/** An option as the server declares it. */
export interface ChartOption {
  name: keyof ChartOptions;
  kind: "flag" | "choice" | "integer" | "names";
  default: unknown;
  description: string;
  allowed: string[];
  low: number;
  high: number;
  of_page: boolean;
}

export interface ChartOptions {
  on: boolean;
  /** Names of charts; null: all. */
  charts: string[] | null;
  average: "mean" | "median" | "both";
  per_system: boolean;
  bins: number;
  normalised: boolean;
  implausible: boolean;
  order: string;
  period: "day" | "week" | "month" | "year";
  ignore_case: boolean;
  frequency_as: "bar" | "pie";
  frequency_with_dose: boolean;
  categories: number;
}

export interface ChartChoice {
  options: ChartOptions;
  /** The options that the user has set; for the others the defaults hold. */
  own: string[];
  defaults: ChartOptions;
}

/** null sets an option back to the default. */
export type ChartChange = { [Name in keyof ChartOptions]?: ChartOptions[Name] | null };

/** Parameters that leave exactly the studies behind a row when they are put in place of the list's own; null: none do. */
export type ChartLink = Conditions | null;

/** Numbers in the shown unit. Which of them there are depends on the chart's kind and view. */
export interface ChartRow {
  n: number;
  /** null: nobody counted them. */
  studies: number | null;
  query: ChartLink;
  /** Of box plots: to the studies with values below the 5th and above the 95th percentile. */
  below?: ChartLink;
  above?: ChartLink;
  category?: string | null;
  others?: boolean;
  equipment_id?: number | null;
  system?: string | null;
  period?: string;
  /** From 1, Monday; null: no date. */
  weekday?: number | null;
  hour?: number | null;
  bin?: number;
  [number: string]: unknown;
}

export type Trace = Record<string, unknown>;

/** A figure of plotly. The first number in `customdata` of a point is its row. */
export interface Figure {
  data: Trace[];
  layout: Record<string, unknown>;
}

export interface ChartAnswer {
  name: string;
  view: string;
  n: number;
  rows: ChartRow[];
  /** Of the bins of a histogram. */
  edges: number[];
  /** A scatter plot of cells, for more points than a page can draw. */
  binned: boolean;
  /** Of a table: how many values the interval of each percentile takes. */
  fewest: Record<string, number>;
  /** Number of values that are left out because they are marked as implausible. */
  left_out: number;
  options: Omit<ChartOptions, "on" | "charts">;
  figure: Figure;
}

/** Conditions of the list, and how the chart is looked at. */
export type ChartQuery = Conditions & { view: string };

const ofChart = (name: string, what: string) => `charts/${encodeURIComponent(name)}/${what}`;

const inLanguage = (query: Query): Query => ({ ...query, language: serverLanguage.value });

export const chartsApi = {
  list: (signal?: AbortSignal) =>
    get<{ charts: Chart[]; options: ChartOption[] }>("charts", signal, inLanguage({})),
  choice: (signal?: AbortSignal) => get<ChartChoice>("charts/options", signal),
  choose: (change: ChartChange) => put<ChartChoice>("charts/options", change),
  /** What holds for those who have not chosen; for administrators. */
  chooseDefaults: (change: ChartChange) => put<ChartChoice>("charts/options/defaults", change),
  /** counted: with the number of the studies that events are of. */
  figure: (name: string, query: ChartQuery, counted: boolean, signal?: AbortSignal) =>
    get<ChartAnswer>(
      ofChart(name, "figure"),
      signal,
      inLanguage({ ...query, studies: counted ? null : "no" }),
    ),
  /** The address of the rows as a file. */
  file: (name: string, query: ChartQuery, format: "csv" | "xlsx") =>
    addressOf(ofChart(name, "data"), inLanguage({ ...query, format })),
};
