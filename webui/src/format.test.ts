import { describe, expect, it } from "vitest";
import * as format from "./format";
import type { FieldInfo } from "./types";

function field(type: string, shown_unit: string | null = null, shown_factor = 1): FieldInfo {
  return {
    name: "x", type, title: "X", unit: shown_unit, shown_unit, shown_factor,
    description: "", concepts: [], source: "", modalities: [], fields: [],
  };
}

describe("numbers", () => {
  it("shows a DAP of the standard's unit in the unit of the field", () => {
    expect(format.formatWithUnit(0.0001234, field("number", "cGy·cm²", 1e6))).toBe("123.4 cGy·cm²");
  });
  it("tells zero, small and not given apart", () => {
    expect(format.formatValue(0, field("number"))).toBe("0");
    expect(format.formatValue(null, field("number"))).toBe("–");
    expect(format.formatNumber(0.0042, 1)).toBe("0.0042");
    expect(format.formatNumber(-0.0042, 0)).toBe("-0.0042");
    expect(format.formatNumber(1.5e-12, 2)).toBe("1.50e-12");
  });
  it("gives one column the same decimals, as few as do", () => {
    expect(format.decimalsFor([120, 80])).toBe(0);
    expect(format.decimalsFor([12.5, 8])).toBe(1);
    expect(format.decimalsFor([523.44, 8.123])).toBe(1);
    expect(format.decimalsFor([15234.7])).toBe(0);
    expect(format.decimalsFor([])).toBe(0);
  });
  it("groups long numbers", () => {
    expect(format.formatCount(1234567)).toBe("1,234,567");
    expect(format.formatCount(1234)).toBe("1234");
  });
  it("lists pulse values in one precision", () => {
    expect(format.formatValue([70, 70.5], field("numbers"))).toBe("70.0, 70.5");
  });
});

describe("codes", () => {
  const code = { value: "113830", scheme: "DCM", meaning: "Mean CTDIvol" };
  it("shows the meaning, and the code behind it", () => {
    expect(format.formatValue(code)).toBe("Mean CTDIvol");
    expect(format.hintOf(code)).toBe("DCM 113830");
    expect(format.formatValue({ ...code, meaning: null })).toBe("113830");
  });
});

describe("times", () => {
  it("leaves a study's time as written", () => {
    expect(format.formatDateTime("2026-01-31T13:05:12.5")).toBe("2026-01-31 13:05:12");
    expect(format.formatTime("13:05:12.5")).toBe("13:05");
  });
  it("says how long ago", () => {
    const now = "2026-01-31T13:05:00";
    expect(format.formatAgo("2026-01-31T13:04:30", now)).toBe("just now");
    expect(format.formatAgo("2026-01-31T10:00:00", now)).toBe("3 hours ago");
    expect(format.formatAgo("2026-01-30T10:00:00", now)).toBe("1 day ago");
    expect(format.formatAgo("2022-01-30T10:00:00", now)).toBe("4 years ago");
    expect(format.formatAgo("2026-01-31T15:05:00", now)).toBe("in 2 hours");
    expect(format.formatAgo("2026-01-31T10:00:00", `${now}+11:00`)).toBe("3 hours ago");
    expect(format.formatAgo(null, now)).toBe("–");
  });
  it("reads long times in minutes", () => {
    expect(format.formatMinutes(754)).toBe("12 min 34 s");
    expect(format.formatMinutes(59)).toBeNull();
  });
});

describe("sizes", () => {
  it("are decimal", () => {
    expect(format.formatBytes(1234567)).toBe("1.2 MB");
    expect(format.formatBytes(999)).toBe("999 B");
  });
});

it("raises the mass numbers of nuclides in values, and leaves the content as it was sent", () => {
  const code = { value: "C-B1031", scheme: "SRT", meaning: "Fluorodeoxyglucose F^18^" };
  expect(format.formatValue(code, field("code"))).toBe("Fluorodeoxyglucose F¹⁸");
  expect(format.formatValue("^99m^Technetium", field("text"))).toBe("⁹⁹ᵐTechnetium");
  expect(format.formatValue(code)).toBe("Fluorodeoxyglucose F^18^");
});
