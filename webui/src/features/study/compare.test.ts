import { describe, expect, it } from "vitest";
import type { FieldInfo } from "../../shared/api/schema";
import { idsIn, rowOf, sumsOf } from "./compare";

const field = (name: string, type = "text", shown_unit: string | null = null): FieldInfo => ({
  name,
  type,
  title: name,
  unit: null,
  shown_unit,
  shown_factor: 1,
  description: "",
  concepts: [],
  header: [],
  limits: null,
  source: "",
  modalities: [],
  fields: [],
});
const row = (one: FieldInfo, values: unknown[]) =>
  rowOf(
    one,
    "",
    "",
    values.map((value) => ({ [one.name]: value })),
  );

describe("comparing studies", () => {
  it("takes two to five numbers from the address, each once", () => {
    expect(idsIn("3,1,3, 2,x,0,-4,7,8,9")).toEqual([3, 1, 2, 7, 8]);
    expect(idsIn(undefined)).toEqual([]);
  });
  it("tells rows that differ, with the largest and the smallest number", () => {
    const dlp = row(field("dlp", "number", "mGy·cm"), [300, 1200.5, null, 300])!;
    expect(dlp.differs).toBe(true);
    expect(dlp.cells.map(({ extreme }) => extreme)).toEqual([
      "smallest",
      "largest",
      null,
      "smallest",
    ]);
    expect(dlp.cells[2]!.text).toBe("–");
    expect(row(field("sex"), ["F", "F"])!.differs).toBe(false);
    expect(row(field("sex"), [null, ""])).toBeNull();
    expect(row(field("dlp", "number"), [5, 5])!.cells[0]!.extreme).toBeNull();
  });
  it("sums events by type and protocol, and no sum where one lacks its dose", () => {
    const type = { value: "116152004", scheme: "SCT", meaning: "Spiral Acquisition" };
    const sums = sumsOf([
      { ct_acquisition_type: type, acquisition_protocol: "Chest", dlp: 100 },
      { ct_acquisition_type: type, acquisition_protocol: "Chest", dlp: 50 },
      { ct_acquisition_type: type, acquisition_protocol: "Head", dlp: null },
    ]);
    expect(
      [...sums.values()].map(({ protocol, count, dose }) => [protocol, count, dose.value]),
    ).toEqual([
      ["Chest", 2, 150],
      ["Head", 1, null],
    ]);
  });
});
