/**
 * From the server's figure to what is drawn: colours of the theme, series on and off, room for names. Pure functions;
 * ChartFigure.vue draws with plotly.
 */
import type { Chart, ChartAnswer, ChartRow, Figure, Trace } from "./chartsApi";
import { columnsOf, rowTitle } from "./chartWords";
import { formatCount } from "./format";
import { t } from "./i18n";

export interface ChartColours {
  text: string;
  line: string;
  surface: string;
  font: string;
  /** Of series, in their order. */
  series: string[];
}

/** What can be switched on and off: a trace, or a slice of a pie. */
export interface ChartSeries {
  at: number;
  /** Plain text. */
  name: string;
  colour: string;
  /** How often all colours have been used before it: 0 for the first ones, the next ones are patterned. */
  round: number;
}

export interface DrawOptions {
  /** Series that are off. */
  hidden: ReadonlySet<number>;
  /** Histograms of several series side by side and not one over the other. */
  beside: boolean;
  /** Pixels. */
  width: number;
  height: number;
  /** Of a picture: with its title and legend in it. */
  whole?: boolean;
}

/** Which row a point is of, and for a box plot's outliers on which side of the box. */
export interface ChartPoint {
  row: number;
  side?: "below" | "above";
}

const PATTERNS = ["", "/", ".", "x", "-", "+"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];
const SYMBOLS = ["circle", "square", "diamond", "cross", "triangle-up", "x"];
// Signs that a name has on an axis: on a low picture, and on a high one.
const LONGEST_NAMES = [16, 32] as const;
const HIGH = 450; // pixels
const SPACE_OF_NAME = 17; // pixels along the axis

/** A name as plotly shows it: it takes some HTML for marks. */
export const escaped = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const plain = (text: string): string => text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const isPie = (figure: Figure) => figure.data[0]?.type === "pie";
const isHistogram = (answer: ChartAnswer) => answer.view === "histogram";

/** Traces of one series have one colour: its mean and its median. */
const perSeries = (answer: ChartAnswer): number =>
  answer.options.average === "both" && answer.rows[0]?.mean !== undefined && answer.rows[0].median !== undefined && answer.view !== "box" ? 2 : 1;

export function seriesOf(chart: Chart, answer: ChartAnswer, colours: ChartColours): ChartSeries[] {
  const number = colours.series.length;
  const look = (at: number) => ({ colour: colours.series[at % number]!, round: Math.floor(at / number) });
  if (isPie(answer.figure)) return answer.rows.map((row, at) => ({ at, name: rowTitle(chart, answer, row), ...look(at) }));
  if (answer.binned) return [];
  const each = perSeries(answer);
  // Bands come after all lines.
  return answer.figure.data
    .filter((trace) => !isBand(trace))
    .map((trace, at) => ({ at, name: plain(String(trace.name ?? "")), ...look(Math.floor(at / each)) }));
}

const isBand = (trace: Trace) => trace.meta === "band";

/** The series that are off as long as nobody has switched any. */
export const offAtFirst = (answer: ChartAnswer): Set<number> =>
  new Set(answer.figure.data.flatMap((trace, at) => (trace.visible === "legendonly" && !isBand(trace) ? [at] : [])));

/** How many rows of pictures histograms side by side take, and how many stand in each. */
export function gridOf(number: number, width: number): { rows: number; columns: number } {
  const columns = Math.max(1, Math.min(number, width < 420 ? 1 : width < 800 ? 2 : 4));
  return { rows: Math.max(1, Math.ceil(number / columns)), columns };
}

/** A name on the horizontal axis, and where it stands. */
export interface ChartName {
  at: number;
  name: string;
}

/** Names with room for them, of those in sight. range: where the axis begins and ends. */
export function namesInSight(names: ChartName[], range: number[], { width, height }: { width: number; height: number }) {
  const [from, to] = [Math.min(...range), Math.max(...range)];
  const seen = names.filter(({ at }) => at >= from && at <= to);
  const step = Math.max(1, Math.ceil((seen.length * SPACE_OF_NAME) / Math.max(width, 1)));
  const kept = seen.filter((_, number) => number % step === 0);
  return {
    tickvals: kept.map(({ at }) => at),
    ticktext: kept.map(({ name }) => shortened(name, LONGEST_NAMES[height < HIGH ? 0 : 1])),
  };
}

function shortened(name: string, longest: number): string {
  const signs = [...plain(name)];
  return escaped(signs.length > longest ? `${signs.slice(0, longest - 1).join("").trimEnd()}…` : signs.join(""));
}

/** All names of the horizontal axis; null where it has numbers or days. */
export function namesOf(figure: Figure): ChartName[] | null {
  const { tickvals, ticktext } = (figure.layout.xaxis ?? {}) as { tickvals?: number[]; ticktext?: string[] };
  return tickvals && ticktext ? tickvals.map((at, number) => ({ at, name: ticktext[number] ?? "" })) : null;
}

export function drawn(chart: Chart, answer: ChartAnswer, colours: ChartColours, options: DrawOptions): Figure {
  const series = seriesOf(chart, answer, colours);
  const { layout, data } = answer.figure;
  const names = namesOf(answer.figure);
  const ownerOf = (trace: Trace, at: number) =>
    isBand(trace) ? data.findIndex(({ legendgroup }) => legendgroup === trace.legendgroup) : at;
  let traces = data.map((trace, at) => dressed(trace, ownerOf(trace, at), answer, series, colours, options));
  if (answer.view === "box") traces = traces.flatMap((trace) => withReach(trace, chart, answer));
  const side: { layout: Figure["layout"] } = { layout: {} };
  if (isHistogram(answer) && options.beside && data.length > 1) side.layout = sideBySide(traces, series, options, colours, layout);
  const axis = (own: unknown) => ({
    ...(own as object),
    gridcolor: colours.line,
    linecolor: colours.line,
    zerolinecolor: colours.line,
    automargin: true,
    title: { standoff: 8, ...(own as { title?: object } | undefined)?.title },
  });
  const ofNames = names ? { showgrid: false, ...(options.whole ? {} : { title: { text: "" } }) } : {};
  const inSight = names && namesInSight(names, names.map(({ at }) => at), options);
  return {
    data: traces,
    layout: {
      ...layout,
      template: undefined,
      colorway: colours.series,
      width: options.width,
      height: options.height,
      paper_bgcolor: options.whole ? colours.surface : "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: colours.font, size: 12, color: colours.text },
      hoverlabel: { bgcolor: colours.surface, bordercolor: colours.text, font: { color: colours.text, family: colours.font }, align: "left", namelength: -1 },
      margin: { l: 46, r: 12, t: options.whole ? 44 : side.layout.grid ? 24 : 8, b: 36 },
      dragmode: matchesCoarse() ? false : "zoom",
      uniformtext: { minsize: 9, mode: "hide" },
      ...(options.whole ? { title: { text: escaped(chart.title), font: { size: 15 } } } : {}),
      showlegend: options.whole === true && series.length > 1 && series.length <= 40 && !side.layout.grid,
      // Only a new answer sets the zoom back.
      uirevision: `${answer.name} ${answer.view} ${answer.n} ${answer.rows.length}`,
      ...(isPie(answer.figure)
        ? { hiddenlabels: [...options.hidden].map(String) }
        : // What names are of stands above the picture.
          { xaxis: { ...axis(layout.xaxis), ...inSight, autotickangles: [0, -45, -90], ...ofNames }, yaxis: axis(layout.yaxis) }),
      ...(answer.view === "box" ? { barmode: "group", bargap: 0.3, boxgap: 0.3, bargroupgap: 0.15, boxgroupgap: 0.15 } : {}),
      ...side.layout,
    },
  };
}

// A finger on the picture scrolls the page; there are buttons for zooming.
const matchesCoarse = () => typeof matchMedia === "function" && matchMedia("(pointer: coarse)").matches;

/** at: the number of its series. */
function dressed(
  trace: Trace, at: number, answer: ChartAnswer, series: ChartSeries[], colours: ChartColours, options: DrawOptions,
): Trace {
  const { colour, round } = series[at] ?? { colour: colours.series[0]!, round: 0 };
  const each = perSeries(answer);
  const visible = !options.hidden.has(at);
  const template = String(trace.hovertemplate ?? "");
  const hovertemplate = template.includes("n = ") ? template : template.replace("<extra>", "<br>n = %{customdata[1]:,}<extra>");
  const own = { ...trace, visible, hovertemplate };
  const edge = { color: colours.surface, width: 0.5 };
  switch (trace.type) {
    case "pie":
      return {
        ...own,
        visible: true,
        marker: {
          colors: series.map((one) => one.colour),
          pattern: { shape: series.map((one) => PATTERNS[one.round % PATTERNS.length]!), fillmode: "overlay", fgcolor: colours.surface },
          line: { color: colours.surface, width: 1 },
        },
        textposition: "inside",
        textinfo: answer.rows.length > 30 ? "none" : "text",
        insidetextorientation: "auto",
      };
    case "bar": {
      const given = (trace.marker as { pattern?: { shape?: string } } | undefined)?.pattern?.shape;
      const shape = given ?? PATTERNS[round % PATTERNS.length]!;
      return { ...own, marker: { color: colour, line: edge, pattern: { shape, fillmode: "overlay", fgcolor: colours.surface, size: 6, solidity: 0.3 } } };
    }
    case "box":
      return { ...own, line: { color: colour, width: 1.5 }, fillcolor: `${colour}55`, offsetgroup: String(at), hoverinfo: "skip", hovertemplate: undefined };
    case "heatmap":
      return { ...own, ...cells(answer.rows), visible: true, colorbar: { title: { text: "n" }, thickness: 12, outlinewidth: 0 } };
    default: {
      if (isBand(trace)) {
        return { ...own, hovertemplate: undefined, line: { ...(trace.line as object), color: colour }, fillcolor: `${colour}33` };
      }
      const lines = String(trace.mode ?? "").includes("lines");
      const dash = (trace.line as { dash?: string } | undefined)?.dash ?? DASHES[round % DASHES.length]!;
      const size = lines ? 7 : answer.rows.length > 2000 ? 4 : 6;
      return {
        ...own,
        marker: { size, symbol: SYMBOLS[Math.floor(at / each) % SYMBOLS.length]!, opacity: lines ? 1 : 0.75, ...(trace.marker as object), color: colour },
        line: { color: colour, width: 1.75, dash },
      };
    }
  }
}

/** Cells as a matrix with its edges: from points alone plotly would stretch cells over those that are empty. */
function cells(rows: ChartRow[]): Trace {
  const edges = (axis: "x" | "y"): number[] => {
    const starts = rows.map((row) => row[`${axis}_from`] as number);
    const [least, largest] = [Math.min(...starts), Math.max(...rows.map((row) => row[`${axis}_to`] as number))];
    const width = (rows[0]![`${axis}_to`] as number) - starts[0]!;
    const number = Math.max(1, Math.round((largest - least) / width));
    return Array.from({ length: number + 1 }, (_, at) => least + ((largest - least) * at) / number);
  };
  const [x, y] = [edges("x"), edges("y")];
  const z: (number | null)[][] = y.slice(1).map(() => x.slice(1).map(() => null));
  const customdata: ([number, number] | null)[][] = z.map((line) => line.map(() => null));
  const place = (value: number, found: number[]) =>
    Math.min(found.length - 2, Math.round((value - found[0]!) / ((found.at(-1)! - found[0]!) / (found.length - 1) || 1)));
  rows.forEach((row, number) => {
    const [i, j] = [place(row.y_from as number, y), place(row.x_from as number, x)];
    z[i]![j] = row.n;
    customdata[i]![j] = [number, row.n];
  });
  return { x, y, z, customdata, hoverongaps: false };
}

/** A box with what can be pointed at: all of it, with its numbers, and what lies beyond its whiskers. */
function withReach(box: Trace, chart: Chart, answer: ChartAnswer): Trace[] {
  const { x, customdata, visible, name, offsetgroup } = box as {
    x: number[]; customdata: [number, number][]; visible: boolean; name: string; offsetgroup: string;
  };
  const rows = customdata.map(([number]) => answer.rows[number]!);
  const columns = columnsOf(chart, answer).filter(({ numeric }) => numeric);
  const unit = chart.measure?.unit ? ` ${chart.measure.unit}` : "";
  const told = rows.map((row) =>
    escaped([rowTitle(chart, answer, row), ...columns.map(({ title, text }) => `${title}: ${text(row)}${unit}`)].join("\n")).replaceAll("\n", "<br>"),
  );
  const hovertemplate = "%{hovertext}<br>n = %{customdata[1]:,}<extra></extra>";
  const colour = (box.line as { color: string }).color;
  // Boxes of one value have no height: a little more than them all can be pointed at.
  const more = 0.015 * Math.max(...answer.rows.map((row) => row.p95 as number));
  const reach: Trace = {
    type: "bar", name, visible, x, customdata, offsetgroup, hovertext: told, hovertemplate, showlegend: false, opacity: 0,
    base: rows.map((row) => Math.max(0, (row.p5 as number) - more)),
    y: rows.map((row) => (row.p95 as number) + more - Math.max(0, (row.p5 as number) - more)),
  };
  const beyond = rows.flatMap((row, at) => [
    ...((row.least as number) < (row.p5 as number) ? [{ at, y: row.least, side: "below" }] : []),
    ...((row.largest as number) > (row.p95 as number) ? [{ at, y: row.largest, side: "above" }] : []),
  ]);
  const words = (one: (typeof beyond)[number]) => {
    const column = columns.find(({ key }) => key === (one.side === "below" ? "least" : "largest"));
    const value = `${column?.title}: ${column?.text(rows[one.at]!)}${unit}`;
    return escaped([rowTitle(chart, answer, rows[one.at]!), value, t(`charts.${one.side}5`), `n = ${formatCount(rows[one.at]!.n)}`].join("\n")).replaceAll("\n", "<br>");
  };
  const points: Trace = {
    type: "box", name, visible, offsetgroup, showlegend: false, boxpoints: "all", jitter: 0, pointpos: 0, hoveron: "points",
    x: beyond.map(({ at }) => x[at]), y: beyond.map(({ y }) => y), text: beyond.map(words),
    customdata: beyond.map(({ at, side }) => [...customdata[at]!, side]),
    fillcolor: "rgba(0,0,0,0)", line: { color: "rgba(0,0,0,0)" }, marker: { color: colour, symbol: "circle-open", size: 7 },
    hovertemplate: "%{text}<extra></extra>",
  };
  return [box, reach, points];
}

/** Gives each trace axes of its own, which move together; returns the layout of them. */
function sideBySide(
  traces: Trace[], series: ChartSeries[], options: DrawOptions, colours: ChartColours, layout: Figure["layout"],
): Figure["layout"] {
  const seen = traces.filter((trace) => trace.visible);
  const { rows, columns } = gridOf(seen.length, options.width);
  const out: Figure["layout"] = { grid: { rows, columns, pattern: "independent", xgap: 0.12, ygap: 0.3 } };
  const titles: unknown[] = [];
  seen.forEach((trace, at) => {
    const number = at ? String(at + 1) : "";
    Object.assign(trace, { xaxis: `x${number}`, yaxis: `y${number}`, opacity: 1 });
    const isBottom = at + columns >= seen.length;
    const style = { gridcolor: colours.line, linecolor: colours.line, zerolinecolor: colours.line, automargin: true };
    const title = (own: unknown, shown: boolean) => (shown ? { ...(own as { title?: object }).title, standoff: 6 } : { text: "" });
    out[`xaxis${number}`] = { ...style, ...(at ? { matches: "x" } : {}), title: title(layout.xaxis, isBottom) };
    out[`yaxis${number}`] = { ...style, ...(at ? { matches: "y" } : {}), title: title(layout.yaxis, at % columns === 0) };
    const name = series.find((one) => one.at === traces.indexOf(trace))?.name ?? "";
    titles.push({ text: shortened(escaped(name), LONGEST_NAMES[1]), xref: `x${number} domain`, yref: `y${number} domain`, x: 0.5, y: 1, yanchor: "bottom", showarrow: false });
  });
  out.annotations = titles;
  return out;
}
