import { describe, expect, it } from "vitest";
import type { FilterInfo } from "../api/schema";
import {
  changed,
  conditionsOf,
  filtersFor,
  periods,
  plainNumber,
  sameConditions,
  termsOf,
  timesTenTo,
  toShown,
  toStored,
} from "./filters";

const filter = (name: string, more: Partial<FilterInfo> = {}): FilterInfo => ({
  name,
  label: name,
  type: "number",
  group: "dose",
  modalities: [],
  unit: null,
  shown_unit: "",
  shown_factor: 1,
  field: "",
  description: "",
  choices: [],
  identity: false,
  of_one: "",
  parameters: { from: `${name}_from`, to: `${name}_to` },
  ...more,
});

describe("conditions", () => {
  it("are what the address holds but for the list's own", () => {
    const query = {
      page: "2",
      size: "25",
      sort: "x",
      study_description: "head",
      empty: "",
      none: null,
      twice: ["a", "b"],
    };
    expect(conditionsOf(query)).toEqual({ study_description: "head", twice: "b" });
  });

  it("are set and taken away by name", () => {
    expect(changed({ a: "1", b: "2" }, { b: "", c: "3" })).toEqual({ a: "1", c: "3" });
    expect(sameConditions({ a: "1", b: "2" }, { b: "2", a: "1" })).toBe(true);
    expect(sameConditions({ a: "1" }, { b: "1" })).toBe(false);
  });

  it("are offered where the modality has them", () => {
    const all = [
      filter("dlp", { modalities: ["CT"] }),
      filter("age"),
      filter("dap", { modalities: ["RF", "DX"] }),
    ];
    expect(filtersFor(all, "RF").map((one) => one.name)).toEqual(["age", "dap"]);
  });
});

describe("numbers in another unit", () => {
  it("move the point in the text", () => {
    const dap = filter("dap", { shown_factor: 1e6 });
    expect(toStored("12.5", dap)).toBe("12.5e-6");
    expect(toShown("12.5e-6", dap)).toBe("12.5");
    expect(toShown("0.0000125", dap)).toBe("12.5");
    expect(toStored("0.1", filter("plain"))).toBe("0.1");
    expect(toShown("1e-3", filter("rp", { shown_factor: 1000 }))).toBe("1");
    expect(toShown("5", filter("small", { shown_factor: 0.001 }))).toBe("0.005");
  });

  it("leave alone what is no number", () => {
    for (const text of ["", "-", ".", "12,5", "many", "1e", "0x10"]) {
      expect(timesTenTo(text, 3)).toBe(text);
      expect(plainNumber(text)).toBe(text);
    }
  });

  it.each([
    ["12.50", "12.5"],
    ["-.5", "-0.5"],
    ["+7", "7"],
    ["007", "7"],
    ["1e3", "1000"],
    ["1.25e1", "12.5"],
    ["0e5", "0"],
    ["125e-2", "1.25"],
    ["5e-3", "0.005"],
  ])("writes %s as %s", (text, plain) => expect(plainNumber(text)).toBe(plain));
});

describe("terms", () => {
  it("stand between commas, or in quotes", () => {
    expect(termsOf('head, "neck, chest" ,abdomen,,')).toEqual(["head", "neck, chest", "abdomen"]);
    expect(termsOf('one " quote, "it""s ""it"""')).toEqual(['one " quote', 'it"s "it"']);
    expect(termsOf("")).toEqual([]);
  });
});

it("knows the periods that people ask for", () => {
  // A Sunday.
  const by = Object.fromEntries(
    periods(new Date(2024, 2, 3), 1).map(({ key, from, to }) => [key, [from, to]]),
  );
  expect(by).toEqual({
    today: ["2024-03-03", "2024-03-03"],
    thisWeek: ["2024-02-26", "2024-03-03"],
    days7: ["2024-02-26", "2024-03-03"],
    days30: ["2024-02-03", "2024-03-03"],
    thisYear: ["2024-01-01", "2024-12-31"],
    lastYear: ["2023-01-01", "2023-12-31"],
  });
});

it.each([
  [7, "2024-03-03", "2024-03-09"],
  [6, "2024-03-02", "2024-03-08"],
])("begins the week with day %i", (firstDay, from, to) => {
  const [week] = periods(new Date(2024, 2, 3), firstDay).filter(({ key }) => key === "thisWeek");
  expect([week?.from, week?.to]).toEqual([from, to]);
});
