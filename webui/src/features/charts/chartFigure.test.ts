import { describe, expect, it } from "vitest";
import type { Figure } from "./chartFigure";
import type { Chart, ChartAnswer, ChartRow } from "../../shared/api/schema";
import { drawn, gridOf, offAtFirst, seriesOf } from "./chartFigure";
import type { ChartColours } from "./chartLook";
import { escaped, namesInSight, namesOf } from "./chartNames";

const COLOURS: ChartColours = {
  text: "#000",
  line: "#ccc",
  surface: "#fff",
  font: "Arial",
  series: ["#aa0000", "#00bb00"],
};
const SIZE = { hidden: new Set<number>(), beside: true, width: 500, height: 300 };
const AXIS = { filter: "", field: "", label: "Dose", unit: "mGy" };

const chart = (kind: Chart["kind"]): Chart => ({
  name: "one",
  title: "One",
  modality: "CT",
  level: "study",
  kind,
  measure: AXIS,
  grouping: null,
  against: AXIS,
  views: [],
});
const options = { average: "mean", period: "month" } as ChartAnswer["options"];
const answer = (
  figure: Figure,
  rows: ChartRow[] = [],
  more: Partial<ChartAnswer> = {},
): ChartAnswer => ({
  name: "one",
  view: "bar",
  n: rows.length,
  rows,
  edges: [],
  fewest: {},
  left_out: 0,
  binned: false,
  options,
  figure,
  ...more,
});

describe("names below an axis", () => {
  const names = Array.from({ length: 101 }, (_, at) => ({ at: at + 1, name: `Name ${at}` }));

  it("are left out evenly where there is no room for all", () => {
    const { tickvals, ticktext } = namesInSight(names, [0.5, 101.5], { width: 340, height: 300 });
    expect(tickvals.length).toBeLessThanOrEqual(20);
    expect(new Set(tickvals.slice(1).map((at, number) => at - tickvals[number]!)).size).toBe(1);
    expect(ticktext[1]).toBe(`Name ${tickvals[1]! - 1}`);
  });

  it("are all there of the few that are in sight", () => {
    expect(namesInSight(names, [3.5, 6.5], { width: 340, height: 300 }).ticktext).toEqual([
      "Name 3",
      "Name 4",
      "Name 5",
    ]);
  });

  it("are cut by what is read of them, not within what stands for a sign", () => {
    const long = [{ at: 0, name: escaped("<b>&&&&&&&&&&&&&&&&&&&&&&") }];
    const [text = ""] = namesInSight(long, [0, 0], { width: 100, height: 300 }).ticktext;
    expect(text.replace(/&(lt|gt|amp);/g, "&")).toBe(`&b${"&".repeat(13)}…`);
  });

  it("are whole where there is room", () => {
    const long = [{ at: 0, name: "A name of more than sixteen signs" }];
    expect(namesInSight(long, [0, 0], { width: 340, height: 300 }).ticktext).toEqual([
      long[0]!.name,
    ]);
  });

  it("are where the server has put them", () => {
    const figure = {
      data: [],
      layout: { xaxis: { tickvals: [1, 8], ticktext: ["Monday", "(blank)"] } },
    };
    expect(namesOf(figure)).toEqual([
      { at: 1, name: "Monday" },
      { at: 8, name: "(blank)" },
    ]);
    expect(namesOf({ data: [], layout: { xaxis: { type: "date" } } })).toBeNull();
  });
});

describe("series", () => {
  it("have the plain name, a colour, and a pattern where the colours are used up", () => {
    const data = ["A &amp; &lt;B&gt;", "two", "three"].map((name) => ({ type: "bar", name }));
    const found = seriesOf(chart("average"), answer({ data, layout: {} }), COLOURS);
    expect(found.map(({ name, colour, round }) => [name, colour, round])).toEqual([
      ["A & <B>", "#aa0000", 0],
      ["two", "#00bb00", 0],
      ["three", "#aa0000", 1],
    ]);
  });

  it("are one for a mean and its median", () => {
    const data = ["mean", "median", "mean", "median"].map((name) => ({ type: "bar", name }));
    const both = answer(
      { data, layout: {} },
      [{ n: 1, studies: 1, query: null, mean: 1, median: 1 }],
      { options: { ...options, average: "both" } },
    );
    expect(seriesOf(chart("average"), both, COLOURS).map(({ colour }) => colour)).toEqual([
      "#aa0000",
      "#aa0000",
      "#00bb00",
      "#00bb00",
    ]);
  });

  it("take their bands along", () => {
    const line = (group: string, more: object) => ({
      type: "scatter",
      legendgroup: group,
      name: group,
      ...more,
    });
    const data = [
      line("0", { mode: "lines+markers" }),
      line("1", { mode: "lines+markers", visible: "legendonly" }),
      line("0", { meta: "band" }),
      line("1", { meta: "band", visible: "legendonly" }),
    ];
    const given = answer({ data, layout: {} }, [], { view: "change" });
    expect(seriesOf(chart("time"), given, COLOURS).map(({ name }) => name)).toEqual(["0", "1"]);
    expect(offAtFirst(given)).toEqual(new Set([1]));
    const figure = drawn(chart("time"), given, COLOURS, { ...SIZE, hidden: new Set([0]) });
    expect(figure.data.map(({ visible }) => visible)).toEqual([false, true, false, true]);
    expect(figure.data.map(({ line: own }) => (own as { color: string }).color)).toEqual([
      "#aa0000",
      "#00bb00",
      "#aa0000",
      "#00bb00",
    ]);
  });
});

it("every text at the pointer has n", () => {
  const data = [
    { type: "scatter", mode: "markers", hovertemplate: "%{x}<extra></extra>" },
    { type: "bar", hovertemplate: "%{y}<br>n = 1<extra></extra>" },
  ];
  const figure = drawn(chart("scatter"), answer({ data, layout: {} }), COLOURS, SIZE);
  expect(
    figure.data.map(({ hovertemplate }) => String(hovertemplate).match(/n = /g)?.length),
  ).toEqual([1, 1]);
});

it("cells stand where they are, with nothing where there are none", () => {
  const cell = (i: number, j: number, n: number): ChartRow => ({
    n,
    studies: n,
    query: null,
    x_from: i * 2,
    x_to: i * 2 + 2,
    y_from: j,
    y_to: j + 1,
  });
  const rows = [cell(0, 0, 5), cell(3, 2, 7)];
  const given = answer({ data: [{ type: "heatmap" }], layout: {} }, rows, { binned: true });
  const [trace] = drawn(chart("scatter"), given, COLOURS, SIZE).data;
  expect(trace!.x).toEqual([0, 2, 4, 6, 8]);
  expect(trace!.y).toEqual([0, 1, 2, 3]);
  expect(trace!.z).toEqual([
    [5, null, null, null],
    [null, null, null, null],
    [null, null, null, 7],
  ]);
  expect((trace!.customdata as unknown[][])[2]![3]).toEqual([1, 7]);
});

it("histograms side by side have axes that move together", () => {
  const data = ["A", "B", "C"].map((name) => ({ type: "bar", name, x: [1], y: [1] }));
  const given = answer({ data, layout: { xaxis: { title: { text: "mGy" } }, yaxis: {} } }, [], {
    view: "histogram",
  });
  const figure = drawn(chart("average"), given, COLOURS, { ...SIZE, hidden: new Set([1]) });
  expect(figure.data.map(({ xaxis }) => xaxis)).toEqual(["x", undefined, "x2"]);
  expect(figure.layout.xaxis2).toMatchObject({ matches: "x" });
  expect(figure.layout.yaxis2).toMatchObject({ matches: "y" });
  expect((figure.layout.annotations as { text: string }[]).map(({ text }) => text)).toEqual([
    "A",
    "C",
  ]);
  expect(
    drawn(chart("average"), given, COLOURS, { ...SIZE, beside: false }).layout.xaxis2,
  ).toBeUndefined();
});

it("pictures beside and below each other fit the width", () => {
  expect([gridOf(1, 900), gridOf(5, 900), gridOf(5, 500), gridOf(5, 300)]).toEqual([
    { rows: 1, columns: 1 },
    { rows: 2, columns: 4 },
    { rows: 3, columns: 2 },
    { rows: 5, columns: 1 },
  ]);
});
