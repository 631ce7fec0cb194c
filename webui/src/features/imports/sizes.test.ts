import { expect, it } from "vitest";
import { missing, said } from "./sizes";

const CHOICE = {
  identifier: 0,
  height: 1,
  weight: 2,
  kind: "accession-number",
  height_unit: "cm",
  weight_unit: "kg",
  overwrite: false,
} as const;

it("says what is missing before an import can begin", () => {
  expect(missing(CHOICE)).toBeNull();
  expect(missing({ ...CHOICE, identifier: null })).toBe("identifier");
  expect(missing({ ...CHOICE, height: null, weight: null })).toBe("value");
  expect(missing({ ...CHOICE, height: 2 })).toBe("twice");
  expect(missing({ ...CHOICE, height_unit: null })).toBe("heightUnit");
  expect(missing({ ...CHOICE, height: null, height_unit: null })).toBeNull();
  expect(missing({ ...CHOICE, weight_unit: null })).toBe("weightUnit");
});

it("has words for each part of what is said of a line", () => {
  expect(said("the height is not a number; no study")).toBe("the height is not a number; no study");
  expect(said("height other value kept; weight inserted")).toBe(
    "height: different value kept; weight: inserted",
  );
  expect(said(null)).toBe("");
});
