import { describe, expect, it } from "vitest";
import type { FieldInfo } from "../api/schema";
import { cellOf, columnsOf, subRowsOf } from "./columns";

function field(name: string, type = "text", fields: FieldInfo[] = []): FieldInfo {
  return {
    name,
    type,
    title: name,
    unit: null,
    shown_unit: null,
    shown_factor: 1,
    description: "",
    concepts: [],
    header: [],
    limits: null,
    source: "",
    modalities: [],
    fields,
  };
}
const FIELDS = [
  field("event_number", "integer"),
  field("source"),
  field("acquisition_plane"),
  field("exposure_index", "number"),
  field("laterality"),
  field("dap", "number"),
  field("xray_filters", "structs", [field("material"), field("thickness_maximum", "number")]),
];
const FIRST = ["event_number", "source", "acquisition_plane", "laterality", "dap"];
const shown = (rows: Record<string, unknown>[], first = FIRST) =>
  columnsOf(FIELDS, rows, first)
    .filter((one) => one.leading)
    .map((one) => one.key);

describe("columns of events", () => {
  it("are those that are looked at first, in their order, as far as the rows have them", () => {
    const rows = [{ event_number: 1, dap: 1, exposure_index: 300, laterality: "L" }];
    expect(shown(rows)).toEqual(["event_number", "laterality", "dap"]);
    expect(shown(rows, ["exposure_index", "dap", "source", "event_number"])).toEqual([
      "exposure_index",
      "dap",
      "event_number",
    ]);
    expect(columnsOf(FIELDS, rows, ["dap"]).map((one) => one.key)).toEqual([
      "dap",
      "event_number",
      "exposure_index",
      "laterality",
    ]);
  });
  it("leave out a plane or a source that is the same in all rows", () => {
    const row = { event_number: 1, source: "report", acquisition_plane: "A" };
    expect(shown([row, { ...row, event_number: 2 }])).toEqual(["event_number"]);
    expect(shown([row, { ...row, source: "OCR", acquisition_plane: "B" }])).toEqual([
      "event_number",
      "source",
      "acquisition_plane",
    ]);
  });
  it("show several filters in one line, and what may be cut off as a hint", () => {
    const row = {
      xray_filters: [
        { material: "Aluminium or its alloys" },
        { material: "Copper", thickness_maximum: 0.1 },
      ],
    };
    const [material, thickness] = columnsOf(FIELDS, [row], ["xray_filters.material"]);
    expect(cellOf(row, material!)).toEqual({
      text: "Aluminium or its alloys / Copper",
      hint: "Aluminium or its alloys / Copper",
      marks: [],
    });
    expect(cellOf(row, thickness!).text).toBe("– / 0.1");
    expect(cellOf({}, thickness!).text).toBe("–");
  });
  it("give each tube of dual-source CT a line of its own, and a single tube none", () => {
    const fields = [
      field("event_number", "integer"),
      field("xray_sources", "structs", [field("identification"), field("kvp", "number")]),
    ];
    const two = {
      event_number: 1,
      xray_sources: [
        { identification: "A", kvp: 100 },
        { identification: null, kvp: 140 },
      ],
    };
    const one = { event_number: 2, xray_sources: [{ identification: "A", kvp: 120 }] };
    const columns = columnsOf(fields, [two, one], ["event_number", "xray_sources.kvp"]);
    expect(columns.map(({ key }) => key)).toEqual([
      "event_number",
      "xray_sources.kvp",
      "xray_sources.identification",
    ]);
    expect(columns.map((column) => cellOf(two, column).text)).toEqual(["1", "", ""]);
    expect(
      subRowsOf(two, columns).map(({ title, cells }) => [title, ...cells.map(({ text }) => text)]),
    ).toEqual([
      ["identification A", "", "100", "A"],
      ["identification 2", "", "140", "–"],
    ]);
    expect(cellOf(one, columns[1]!).text).toBe("120");
    expect(subRowsOf(one, columns)).toEqual([]);
  });
});
