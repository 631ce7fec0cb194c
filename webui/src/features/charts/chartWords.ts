/** What stands beside a chart in words: names of rows and columns, and the whole of it for those who do not see it. */
import type { Row } from "../../shared/dose/row";
import type { Chart, ChartAnswer, ChartRow } from "../../shared/api/schema";
import {
  decimalsFor,
  formatCount,
  formatDate,
  formatNumber,
  NOTHING,
  weekdayTitle,
} from "../../shared/format";
import { t } from "../../shared/language/i18n";
import { locale } from "../../shared/language/region";

export function categoryTitle(row: ChartRow): string {
  return row.others ? t("charts.others") : (row.category ?? t("charts.blank"));
}

export const hourTitle = (hour: number | null): string =>
  hour === null
    ? t("charts.blank")
    : `${String(hour).padStart(2, "0")}:00–${String(hour).padStart(2, "0")}:59`;

/** A period by its first day. */
export function periodTitle(first: string, period: string): string {
  if (period === "year") return first.slice(0, 4);
  if (period !== "month")
    return period === "week" ? t("charts.week", { day: formatDate(first) }) : formatDate(first);
  const format = new Intl.DateTimeFormat(locale.value, {
    month: "long",
    year: "numeric",
    timeZone: "UTC",
    calendar: "gregory",
  });
  return format.format(new Date(`${first.slice(0, 10)}T00:00:00Z`));
}

const range = (from: unknown, to: unknown) =>
  `${formatNumber(from as number)} – ${formatNumber(to as number)}`;
const withUnit = (text: string, unit: string | undefined) => (unit ? `${text} ${unit}` : text);

/** What a row is about. */
export function rowTitle(chart: Chart, answer: ChartAnswer, row: ChartRow): string {
  const parts: string[] = [];
  if (row.others !== undefined) parts.push(categoryTitle(row));
  if (row.system) parts.push(row.system);
  if (row.period !== undefined) parts.push(periodTitle(row.period, answer.options.period));
  if (row.weekday !== undefined) parts.push(weekdayTitle(row.weekday));
  if (row.hour !== undefined) parts.push(hourTitle(row.hour));
  if (row.bin !== undefined) parts.push(withUnit(range(row.from, row.to), chart.measure?.unit));
  if (row.x !== undefined) {
    const [x, y] = [formatNumber(row.x as number), formatNumber(row.y as number)];
    parts.push(`${withUnit(x, chart.against?.unit)}, ${withUnit(y, chart.measure?.unit)}`);
  }
  if (row.x_from !== undefined) {
    parts.push(
      withUnit(range(row.x_from, row.x_to), chart.against?.unit),
      withUnit(range(row.y_from, row.y_to), chart.measure?.unit),
    );
  }
  return parts.join(" · ");
}

export interface ChartColumn {
  key: string;
  title: string;
  unit: string;
  numeric: boolean;
  text: (row: ChartRow) => string;
}

const NAMES: [
  key: string,
  is: (row: ChartRow) => boolean,
  text: (row: ChartRow, answer: ChartAnswer) => string,
][] = [
  ["category", (row) => row.others !== undefined, categoryTitle],
  ["system", (row) => Boolean(row.system), (row) => row.system ?? NOTHING],
  [
    "period",
    (row) => row.period !== undefined,
    (row, { options }) => periodTitle(row.period!, options.period),
  ],
  ["weekday", (row) => row.weekday !== undefined, (row) => weekdayTitle(row.weekday!)],
  ["hour", (row) => row.hour !== undefined, (row) => hourTitle(row.hour!)],
];
// Numbers of what is measured, and of what stands along the horizontal axis.
const MEASURED = [
  "from",
  "to",
  "y",
  "y_from",
  "y_to",
  "mean",
  "least",
  "p5",
  "p25",
  "median",
  "p75",
  "p95",
  "largest",
  "centre",
  "lower",
  "upper",
];
const ACROSS = ["x", "x_from", "x_to"];
// What becomes percent by this factor.
const PERCENT: Record<string, number> = { part: 100, change: 1 };

/** The columns of the table of a chart, without those of the studies behind a row. */
/** A value of a row by its name; which of them there are depends on the chart's kind and view. */
const at = (row: Row, name: string) => row[name];

export function columnsOf(chart: Chart, answer: ChartAnswer): ChartColumn[] {
  const { rows } = answer;
  const names = NAMES.filter(([, is]) => rows.some(is)).map(([key, , text]) => ({
    key,
    title: key === "category" ? (chart.grouping?.label ?? "") : t(`charts.heads.${key}`),
    unit: "",
    numeric: false,
    text: (row: ChartRow) => text(row, answer),
  }));
  const numbers = [...ACROSS, ...MEASURED, ...Object.keys(PERCENT)].filter((key) =>
    rows.some((row) => typeof at(row, key) === "number"),
  );
  return [
    ...names,
    ...numbers.map((key) => {
      const factor = PERCENT[key] ?? 1;
      const decimals = decimalsFor(rows.map((row) => Number(at(row, key)) * factor));
      const axis = ACROSS.includes(key) ? chart.against : chart.measure;
      const what = key.startsWith("x") || chart.kind === "scatter" ? (axis?.label ?? "") : "";
      return {
        key,
        title: [
          what,
          key === "x" || key === "y" ? "" : t(`charts.heads.${key.replace(/^[xy]_/, "")}`),
        ]
          .filter(Boolean)
          .join(", "),
        unit: key in PERCENT ? "%" : (axis?.unit ?? ""),
        numeric: true,
        text: (row: ChartRow) => {
          const number = at(row, key);
          return typeof number === "number" ? formatNumber(number * factor, decimals) : NOTHING;
        },
      };
    }),
    ...(rows.some((row) => row.out) ? [OUT] : []),
  ];
}

/** Where a mean stands to its control band, where it is out of it. */
const OUT: ChartColumn = {
  key: "out",
  get title() {
    return t("charts.heads.out");
  },
  unit: "",
  numeric: false,
  text: ({ out }) => (out ? t(`charts.out.${String(out)}`) : ""),
};

const SAID = 5;

/** The chart in words: how it is looked at, its number, and its first rows. */
export function spoken(chart: Chart, answer: ChartAnswer): string {
  const numbers = columnsOf(chart, answer).filter(
    ({ numeric, key }) => numeric && !/^(from|to|[xy].*)$/.test(key),
  );
  const said = answer.rows.slice(0, SAID).map((row) => {
    const values = numbers.map(({ title, unit, text }) => withUnit(`${title} ${text(row)}`, unit));
    return `${rowTitle(chart, answer, row)}: ${[...values, `n = ${formatCount(row.n)}`].join(", ")}`;
  });
  const more = answer.rows.length - said.length;
  const rest = more > 0 ? [t("charts.andMore", { n: formatCount(more) }, more)] : [];
  return [
    `${chart.title}, ${viewTitle(answer.view)}, n = ${formatCount(answer.n)}`,
    ...said,
    ...rest,
  ].join(". ");
}

export const viewTitle = (view: string): string => t(`charts.views.${view}`);
