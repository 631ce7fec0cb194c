/** How each trace of a figure is drawn: colours and patterns, what can be pointed at, cells where they are. */
import type { Chart, ChartAnswer, ChartRow } from "../../shared/api/schema";
import type { ChartColours, ChartSeries, DrawOptions } from "./chartLook";
import { escaped } from "./chartNames";
import { columnsOf, rowTitle } from "./chartWords";
import { formatCount } from "../../shared/format";
import { t } from "../../shared/language/i18n";

/** A trace of a figure of plotly. */
export type Trace = ChartAnswer["figure"]["data"][number];

const PATTERNS = ["", "/", ".", "x", "-", "+"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const SYMBOLS = ["circle", "square", "diamond", "cross", "triangle-up", "x"];

/** Traces of one series have one colour: its mean and its median. */
export const perSeries = (answer: ChartAnswer): number =>
  answer.options.average === "both" &&
  answer.rows[0]?.mean !== undefined &&
  answer.rows[0].median !== undefined &&
  answer.view !== "box"
    ? 2
    : 1;

/** A trace of a control band. */
export const isBand = (trace: Trace) => trace.meta === "band";

/** at: the number of its series. */
export function dressed(
  trace: Trace,
  at: number,
  answer: ChartAnswer,
  series: ChartSeries[],
  colours: ChartColours,
  options: DrawOptions,
): Trace {
  const { colour, round } = series[at] ?? { colour: colours.series[0]!, round: 0 };
  const each = perSeries(answer);
  const visible = !options.hidden.has(at);
  const template = String(trace.hovertemplate ?? "");
  const hovertemplate = template.includes("n = ")
    ? template
    : template.replace("<extra>", "<br>n = %{customdata[1]:,}<extra>");
  const own = { ...trace, visible, hovertemplate };
  const edge = { color: colours.surface, width: 0.5 };
  switch (trace.type) {
    case "pie":
      return {
        ...own,
        visible: true,
        marker: {
          colors: series.map((one) => one.colour),
          pattern: {
            shape: series.map((one) => PATTERNS[one.round % PATTERNS.length]!),
            fillmode: "overlay",
            fgcolor: colours.surface,
          },
          line: { color: colours.surface, width: 1 },
        },
        textposition: "inside",
        textinfo: answer.rows.length > 30 ? "none" : "text",
        insidetextorientation: "auto",
      };
    case "bar": {
      const given = (trace.marker as { pattern?: { shape?: string } } | undefined)?.pattern?.shape;
      const shape = given ?? PATTERNS[round % PATTERNS.length]!;
      return {
        ...own,
        marker: {
          color: colour,
          line: edge,
          pattern: { shape, fillmode: "overlay", fgcolor: colours.surface, size: 6, solidity: 0.3 },
        },
      };
    }
    case "box":
      return {
        ...own,
        line: { color: colour, width: 1.5 },
        fillcolor: `${colour}55`,
        offsetgroup: String(at),
        hoverinfo: "skip",
        hovertemplate: undefined,
      };
    case "heatmap":
      return {
        ...own,
        ...cells(answer.rows),
        visible: true,
        colorbar: { title: { text: "n" }, thickness: 12, outlinewidth: 0 },
      };
    default: {
      if (isBand(trace)) {
        return {
          ...own,
          hovertemplate: undefined,
          line: { ...(trace.line as object), color: colour },
          fillcolor: `${colour}33`,
        };
      }
      const lines = String(trace.mode ?? "").includes("lines");
      const dash =
        (trace.line as { dash?: string } | undefined)?.dash ?? DASHES[round % DASHES.length]!;
      const size = lines ? 7 : answer.rows.length > 2000 ? 4 : 6;
      return {
        ...own,
        marker: {
          size,
          symbol: SYMBOLS[Math.floor(at / each) % SYMBOLS.length]!,
          opacity: lines ? 1 : 0.75,
          ...(trace.marker as object),
          color: colour,
        },
        line: { color: colour, width: 1.75, dash },
      };
    }
  }
}

/** Cells as a matrix with its edges: from points alone plotly would stretch cells over those that are empty. */
function cells(rows: ChartRow[]): Trace {
  const edges = (axis: "x" | "y"): number[] => {
    const starts = rows.map((row) => row[`${axis}_from`] as number);
    const [least, largest] = [
      Math.min(...starts),
      Math.max(...rows.map((row) => row[`${axis}_to`] as number)),
    ];
    const width = (rows[0]![`${axis}_to`] as number) - starts[0]!;
    const number = Math.max(1, Math.round((largest - least) / width));
    return Array.from({ length: number + 1 }, (_, at) => least + ((largest - least) * at) / number);
  };
  const [x, y] = [edges("x"), edges("y")];
  const z: (number | null)[][] = y.slice(1).map(() => x.slice(1).map(() => null));
  const customdata: ([number, number] | null)[][] = z.map((line) => line.map(() => null));
  const place = (value: number, found: number[]) =>
    Math.min(
      found.length - 2,
      Math.round((value - found[0]!) / ((found.at(-1)! - found[0]!) / (found.length - 1) || 1)),
    );
  rows.forEach((row, number) => {
    const [i, j] = [place(row.y_from as number, y), place(row.x_from as number, x)];
    z[i]![j] = row.n;
    customdata[i]![j] = [number, row.n];
  });
  return { x, y, z, customdata, hoverongaps: false };
}

/** A box with what can be pointed at: all of it, with its numbers, and what lies beyond its whiskers. */
export function withReach(box: Trace, chart: Chart, answer: ChartAnswer): Trace[] {
  const { x, customdata, visible, name, offsetgroup } = box as {
    x: number[];
    customdata: [number, number][];
    visible: boolean;
    name: string;
    offsetgroup: string;
  };
  const rows = customdata.map(([number]) => answer.rows[number]!);
  const columns = columnsOf(chart, answer).filter(({ numeric }) => numeric);
  const unit = chart.measure?.unit ? ` ${chart.measure.unit}` : "";
  const told = rows.map((row) =>
    escaped(
      [
        rowTitle(chart, answer, row),
        ...columns.map(({ title, text }) => `${title}: ${text(row)}${unit}`),
      ].join("\n"),
    ).replaceAll("\n", "<br>"),
  );
  const hovertemplate = "%{hovertext}<br>n = %{customdata[1]:,}<extra></extra>";
  const colour = (box.line as { color: string }).color;
  // Boxes of one value have no height: a little more than them all can be pointed at.
  const more = 0.015 * Math.max(...answer.rows.map((row) => row.p95 as number));
  const reach: Trace = {
    type: "bar",
    name,
    visible,
    x,
    customdata,
    offsetgroup,
    hovertext: told,
    hovertemplate,
    showlegend: false,
    opacity: 0,
    base: rows.map((row) => Math.max(0, (row.p5 as number) - more)),
    y: rows.map((row) => (row.p95 as number) + more - Math.max(0, (row.p5 as number) - more)),
  };
  const beyond = rows.flatMap((row, at) => [
    ...((row.least as number) < (row.p5 as number) ? [{ at, y: row.least, side: "below" }] : []),
    ...((row.largest as number) > (row.p95 as number)
      ? [{ at, y: row.largest, side: "above" }]
      : []),
  ]);
  const words = (one: (typeof beyond)[number]) => {
    const column = columns.find(({ key }) => key === (one.side === "below" ? "least" : "largest"));
    const value = `${column?.title}: ${column?.text(rows[one.at]!)}${unit}`;
    return escaped(
      [
        rowTitle(chart, answer, rows[one.at]!),
        value,
        t(`charts.${one.side}5`),
        `n = ${formatCount(rows[one.at]!.n)}`,
      ].join("\n"),
    ).replaceAll("\n", "<br>");
  };
  const points: Trace = {
    type: "box",
    name,
    visible,
    offsetgroup,
    showlegend: false,
    boxpoints: "all",
    jitter: 0,
    pointpos: 0,
    hoveron: "points",
    x: beyond.map(({ at }) => x[at]),
    y: beyond.map(({ y }) => y),
    text: beyond.map(words),
    customdata: beyond.map(({ at, side }) => [...customdata[at]!, side]),
    fillcolor: "rgba(0,0,0,0)",
    line: { color: "rgba(0,0,0,0)" },
    marker: { color: colour, symbol: "circle-open", size: 7 },
    hovertemplate: "%{text}<extra></extra>",
  };
  return [box, reach, points];
}
