import { describe, expect, it } from "vitest";
import type { FieldInfo } from "../../shared/api/schema";
import { byPlane, doseCheckOf, groupRows, totalOf } from "./events";
import { layOut, SPACE } from "./plotLayout";
import { ticks, timeUnit } from "./plots";

const code = (value: string, meaning: string, scheme = "DCM") => ({ value, scheme, meaning });

describe("events in groups", () => {
  const rows = [
    {
      irradiation_event_type: code("44491008", "Fluoroscopy", "SCT"),
      acquisition_plane: code("113621", "Plane B"),
      dap: 1,
    },
    {
      irradiation_event_type: code("113611", "Stationary Acquisition"),
      acquisition_plane: code("113620", "Plane A"),
      dap: 2,
    },
    {
      irradiation_event_type: code("44491008", "Fluoro", "SCT"),
      acquisition_plane: code("113620", "Plane A"),
      dap: null,
    },
    { dap: 4 },
  ];
  it("go by the code, not by what it is called, and take its meaning as title", () => {
    const groups = groupRows(rows, "irradiation_event_type");
    expect(groups.map(({ title, rows }) => [title, rows.length])).toEqual([
      ["Fluoroscopy", 2],
      ["Stationary Acquisition", 1],
      [null, 1],
    ]);
  });
  it("have planes in their order, whichever came first", () => {
    expect(byPlane(rows.slice(0, 3)).map(({ title, rows }) => [title, rows.length])).toEqual([
      ["Plane A", 2],
      ["Plane B", 1],
    ]);
  });
  it("have a total only where all have the value", () => {
    expect(totalOf(rows.slice(0, 2), "dap")).toEqual({ value: 3, given: 2, rows: 2 });
    expect(totalOf(rows, "dap")).toEqual({ value: null, given: 3, rows: 4 });
    expect(totalOf([], "dap").value).toBeNull();
  });
});

describe("dose check", () => {
  const NO = code("373067005", "No", "SCT");
  it("has a row an event and kind that says anything, and counts events that say nothing is configured", () => {
    const events = [
      { event_number: 1, dlp_alert_value_configured: NO },
      {
        event_number: 2,
        dlp_notification_value: 300,
        dlp_forward_estimate: 300,
        dlp_alert_value_configured: NO,
      },
      { event_number: 3 },
    ];
    const { rows, without } = doseCheckOf(events);
    expect(rows.map(({ event, kind }) => [event.event_number, kind.kind])).toEqual([
      [2, "notification"],
    ]);
    expect(without).toBe(1);
  });
});

describe("axes", () => {
  it("have round numbers that reach the largest value", () => {
    expect(ticks(9.88, 4)).toEqual([0, 5, 10]);
    expect(ticks(0.37, 4)).toEqual([0, 0.1, 0.2, 0.3, 0.4]);
    expect(ticks(10, 5)).toEqual([0, 2, 4, 6, 8, 10]);
    expect(ticks(0, 4)).toEqual([0, 1]);
  });
  it("show time in the unit in which it is read", () => {
    expect([100, 1000, 20000].map((one) => timeUnit(one).unit)).toEqual(["s", "min", "h"]);
  });
});

describe("a plot of events", () => {
  const points = [0, 30, 600].map((x, at) => ({
    row: { event_number: at + 1 },
    x,
    y: at * 4,
    series: 0,
  }));
  const plot = { field: {} as FieldInfo, say: [], series: [{ title: null }], points, missing: 0 };
  it("has its points between the axes, the first at the left and the largest below the top", () => {
    const { places, unit, xTicks, yTicks } = layOut({ ...plot, x: "time" }, 700);
    expect(unit).toBe("min");
    expect(places[0]!.x).toBe(SPACE.left);
    expect(places[2]!.x).toBeCloseTo(700 - SPACE.right);
    expect(Math.min(...places.map(({ y }) => y))).toBeGreaterThanOrEqual(SPACE.top);
    expect(xTicks.at(-1)!.text).toBe("10");
    expect(yTicks.map(({ text }) => text)).toEqual(["0", "2", "4", "6", "8"]);
  });
  it("names the events below bars", () => {
    const { unit, xTicks } = layOut(
      { ...plot, x: "bars", points: points.map((one, at) => ({ ...one, x: at })) },
      700,
    );
    expect(unit).toBeNull();
    expect(xTicks.map(({ text }) => text)).toEqual(["1", "2", "3"]);
  });
});
