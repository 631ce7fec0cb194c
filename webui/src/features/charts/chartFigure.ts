/**
 * From the server's figure to what is drawn: colours of the theme, series on and off, room for names. Pure functions;
 * ChartFigure.vue draws with plotly.
 */
import type { Trace } from "./chartTraces";
import type { Chart, ChartAnswer } from "../../shared/api/schema";
import { escaped, LONGEST_NAMES, namesInSight, namesOf, plain, shortened } from "./chartNames";
import { dressed, isBand, perSeries, withReach } from "./chartTraces";
import type { ChartColours, ChartSeries, DrawOptions } from "./chartLook";
import { rowTitle } from "./chartWords";

/** A figure of plotly. The first number in `customdata` of a point is its row. */
export type Figure = ChartAnswer["figure"];

/** Which row a point is of, and for a box plot's outliers on which side of the box. */
export interface ChartPoint {
  row: number;
  side?: "below" | "above";
}

const isPie = (figure: Figure) => figure.data[0]?.type === "pie";
const isHistogram = (answer: ChartAnswer) => answer.view === "histogram";

export function seriesOf(chart: Chart, answer: ChartAnswer, colours: ChartColours): ChartSeries[] {
  const number = colours.series.length;
  const look = (at: number) => ({
    colour: colours.series[at % number]!,
    round: Math.floor(at / number),
  });
  if (isPie(answer.figure))
    return answer.rows.map((row, at) => ({ at, name: rowTitle(chart, answer, row), ...look(at) }));
  if (answer.binned) return [];
  const each = perSeries(answer);
  // Bands come after all lines.
  return answer.figure.data
    .filter((trace) => !isBand(trace))
    .map((trace, at) => ({
      at,
      name: plain(String(trace.name ?? "")),
      ...look(Math.floor(at / each)),
    }));
}

/** The series that are off as long as nobody has switched any. */
export const offAtFirst = (answer: ChartAnswer): Set<number> =>
  new Set(
    answer.figure.data.flatMap((trace, at) =>
      trace.visible === "legendonly" && !isBand(trace) ? [at] : [],
    ),
  );

/** How many rows of pictures histograms side by side take, and how many stand in each. */
export function gridOf(number: number, width: number): { rows: number; columns: number } {
  const columns = Math.max(1, Math.min(number, width < 420 ? 1 : width < 800 ? 2 : 4));
  return { rows: Math.max(1, Math.ceil(number / columns)), columns };
}

export function drawn(
  chart: Chart,
  answer: ChartAnswer,
  colours: ChartColours,
  options: DrawOptions,
): Figure {
  const series = seriesOf(chart, answer, colours);
  const { layout, data } = answer.figure;
  const names = namesOf(answer.figure);
  const ownerOf = (trace: Trace, at: number) =>
    isBand(trace) ? data.findIndex(({ legendgroup }) => legendgroup === trace.legendgroup) : at;
  let traces = data.map((trace, at) =>
    dressed(trace, ownerOf(trace, at), answer, series, colours, options),
  );
  if (answer.view === "box") traces = traces.flatMap((trace) => withReach(trace, chart, answer));
  const side: { layout: Figure["layout"] } = { layout: {} };
  if (isHistogram(answer) && options.beside && data.length > 1)
    side.layout = sideBySide(traces, series, options, colours, layout);
  const axis = (own: unknown) => ({
    ...(own as object),
    gridcolor: colours.line,
    linecolor: colours.line,
    zerolinecolor: colours.line,
    automargin: true,
    exponentformat: "none",
    separatethousands: true,
    title: { standoff: 8, ...(own as { title?: object } | undefined)?.title },
  });
  const ofNames = names
    ? {
        showgrid: false,
        zeroline: false,
        ticklabeloverflow: "allow",
        ...(options.whole ? {} : { title: { text: "" } }),
      }
    : {};
  const inSight =
    names &&
    namesInSight(
      names,
      names.map(({ at }) => at),
      options,
    );
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
      hoverlabel: {
        bgcolor: colours.surface,
        bordercolor: colours.text,
        font: { color: colours.text, family: colours.font },
        align: "left",
        namelength: -1,
      },
      margin: { l: 46, r: 12, t: options.whole ? 44 : side.layout.grid ? 24 : 8, b: 36 },
      dragmode: matchesCoarse() ? false : "zoom",
      uniformtext: { minsize: 9, mode: "hide" },
      ...(options.whole ? { title: { text: escaped(chart.title), font: { size: 15 } } } : {}),
      showlegend:
        options.whole === true && series.length > 1 && series.length <= 40 && !side.layout.grid,
      // Only a new answer sets the zoom back.
      uirevision: `${answer.name} ${answer.view} ${answer.n} ${answer.rows.length}`,
      ...(isPie(answer.figure)
        ? { hiddenlabels: [...options.hidden].map(String) }
        : // What names are of stands above the picture.
          {
            xaxis: { ...axis(layout.xaxis), ...inSight, autotickangles: [0, -45, -90], ...ofNames },
            yaxis: axis(layout.yaxis),
          }),
      ...(answer.view === "box"
        ? { barmode: "group", bargap: 0.3, boxgap: 0.3, bargroupgap: 0.15, boxgroupgap: 0.15 }
        : {}),
      ...side.layout,
    },
  };
}

// A finger on the picture scrolls the page; there are buttons for zooming.
const matchesCoarse = () =>
  typeof matchMedia === "function" && matchMedia("(pointer: coarse)").matches;

/** Gives each trace axes of its own, which move together; returns the layout of them. */
function sideBySide(
  traces: Trace[],
  series: ChartSeries[],
  options: DrawOptions,
  colours: ChartColours,
  layout: Figure["layout"],
): Figure["layout"] {
  const seen = traces.filter((trace) => trace.visible);
  const { rows, columns } = gridOf(seen.length, options.width);
  const out: Figure["layout"] = {
    grid: { rows, columns, pattern: "independent", xgap: 0.12, ygap: 0.3 },
  };
  const titles: unknown[] = [];
  seen.forEach((trace, at) => {
    const number = at ? String(at + 1) : "";
    Object.assign(trace, { xaxis: `x${number}`, yaxis: `y${number}`, opacity: 1 });
    const isBottom = at + columns >= seen.length;
    const style = {
      gridcolor: colours.line,
      linecolor: colours.line,
      zerolinecolor: colours.line,
      automargin: true,
    };
    const title = (own: unknown, shown: boolean) =>
      shown ? { ...(own as { title?: object }).title, standoff: 6 } : { text: "" };
    out[`xaxis${number}`] = {
      ...style,
      ...(at ? { matches: "x" } : {}),
      title: title(layout.xaxis, isBottom),
    };
    out[`yaxis${number}`] = {
      ...style,
      ...(at ? { matches: "y" } : {}),
      title: title(layout.yaxis, at % columns === 0),
    };
    const name = series.find((one) => one.at === traces.indexOf(trace))?.name ?? "";
    titles.push({
      text: shortened(escaped(name), LONGEST_NAMES[1]),
      xref: `x${number} domain`,
      yref: `y${number} domain`,
      x: 0.5,
      y: 1,
      yanchor: "bottom",
      showarrow: false,
    });
  });
  out.annotations = titles;
  return out;
}
