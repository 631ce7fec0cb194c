import { afterEach, describe, expect, it, vi } from "vitest";
import type { FieldInfo } from "./api/schema";
import * as format from "./format";
import { i18n, setLanguage } from "./language/i18n";
import { dateStyle, region, weekdays } from "./language/region";

function field(type: string, shown_unit: string | null = null, shown_factor = 1): FieldInfo {
  return {
    name: "x",
    type,
    title: "X",
    unit: shown_unit,
    shown_unit,
    shown_factor,
    description: "",
    concepts: [],
    header: [],
    limits: null,
    source: "",
    modalities: [],
    fields: [],
  };
}

const USUAL = region.value;

afterEach(() => {
  i18n.global.locale.value = "en";
  dateStyle.value = "installation";
  region.value = USUAL;
});

it("says ages in whole years, of small children in months and days, whatever stands below each other", () => {
  const age = { ...field("number", "years"), unit: "a" };
  const said: [number, string][] = [
    [54, "54 y"],
    [54.99, "54 y"],
    [2, "2 y"],
    [103.5, "103 y"],
    [1, "1 y"],
    [1.99, "23 mo"],
    [7 / 12, "7 mo"],
    [0.25, "3 mo"],
    [12 / 365.25, "12 d"],
    [0, "0 d"],
  ];
  for (const [years, text] of said) {
    expect(format.formatValue(years, age, 2)).toBe(text);
    expect(format.formatWithUnit(years, age)).toBe(text);
  }
  expect(format.unitBeside(age)).toBe("");
  expect(format.hintOf(54.99, age)).toBe("54.99 years");
});

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
    expect(format.formatNumber(1.9785, 3)).toBe("1.979");
    expect(format.formatNumber(-1.9785, 3)).toBe("-1.979");
    expect(format.formatNumber(1.005, 2)).toBe("1.01");
  });
  it("gives one column the same decimals, as few as do", () => {
    expect(format.decimalsFor([120, 80])).toBe(0);
    expect(format.decimalsFor([12.5, 8])).toBe(1);
    expect(format.decimalsFor([523.44, 8.123])).toBe(1);
    expect(format.decimalsFor([15234.7])).toBe(0);
    expect(format.decimalsFor([])).toBe(0);
    expect(format.decimalsFor([Infinity, 1.5])).toBe(1);
    expect(format.decimalsFor([1.0695])).toBe(2);
  });
  it("groups long numbers", () => {
    expect(format.formatCount(1234567)).toBe("1,234,567");
    expect(format.formatCount(1234)).toBe("1234");
  });
  it("lists pulse values in one precision", () => {
    expect(format.formatValue([70, 70.5], field("numbers"))).toBe("70.0, 70.5");
  });
});

describe("numbers in German", () => {
  it("have a comma, and points between thousands", () => {
    i18n.global.locale.value = "de";
    expect(format.formatNumber(523.44, 1)).toBe("523,4");
    expect(format.formatCount(1234567)).toBe("1.234.567");
    expect(format.formatNumber(1.5e-12, 2)).toBe("1,50e-12");
    expect(format.hintOf(0.0001234567, field("number", "cGy·cm²", 1e6))).toBe("123,4567 cGy·cm²");
    expect(format.formatAgo("2026-01-31T10:00:00", "2026-01-31T13:05:00")).toBe("vor 3 Stunden");
  });
});

describe("typed numbers", () => {
  const cases: Record<string, [string, string | null][]> = {
    en: [
      ["1,234.5", "1234.5"],
      ["1234.50", "1234.50"],
      [" 12 ", "12"],
      [".5", "0.5"],
      ["5.", "5"],
      ["-3", "-3"],
      ["\u22123", "-3"],
      ["+7", "7"],
      ["007", "7"],
      ["0", "0"],
      ["1 234 567", "1234567"],
      ["1,5", null],
      ["12,34", null],
      ["1,234,5", null],
      ["0,123", null],
      ["", null],
      [".", null],
      ["-", null],
      ["1e3", null],
      ["1.2.3", null],
      ["12 mGy", null],
      ["1_234", null],
    ],
    de: [
      ["1.234,5", "1234.5"],
      ["1234,5", "1234.5"],
      [",5", "0.5"],
      ["0,001", "0.001"],
      ["1.234.567", "1234567"],
      ["1.5", null],
      ["0.123", null],
      ["1,234.5", null],
      ["1'234,5", "1234.5"],
      ["1\u202f234,5", "1234.5"],
    ],
    fr: [
      ["1 234,5", "1234.5"],
      ["1\u202f234,5", "1234.5"],
      ["1.5", null],
    ],
  };
  it.each(Object.entries(cases))("are read in the format of %s", (language, pairs) => {
    i18n.global.locale.value = language;
    for (const [typed, read] of pairs)
      expect([typed, format.parseNumberText(typed)]).toEqual([typed, read]);
  });
  it("are read as they are shown", () => {
    for (const language of ["en", "de", "fr"]) {
      i18n.global.locale.value = language;
      for (const number of [0, 0.5, 12.25, 1234.5, 1234567, -98765.4321]) {
        expect(Number(format.parseNumberText(format.formatNumber(number, 4)))).toBe(number);
      }
    }
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

it("says common coded concepts and dates in the language of the pages", async () => {
  vi.stubGlobal("document", { documentElement: {} });
  await setLanguage("de", false);
  try {
    const code = { value: "116152004", scheme: "SCT", meaning: "Spiral Acquisition" };
    expect(format.formatValue(code)).toBe("Spiralaufnahme");
    expect(format.hintOf(code)).toBe("SCT 116152004: Spiral Acquisition");
    const own = { value: "1", scheme: "99ACME", meaning: "Spin" };
    expect([format.formatValue(own), format.hintOf(own)]).toEqual(["Spin", "99ACME 1"]);
    expect(format.formatDate("2026-01-31")).toBe("31.01.2026");
  } finally {
    await setLanguage("en", false);
    vi.unstubAllGlobals();
  }
  expect(format.formatDate("2026-01-31")).toBe("31/01/2026");
});

describe("times", () => {
  it("leaves a study's time as written", () => {
    expect(format.formatDateTime("2026-01-31T13:05:12.5")).toBe("31/01/2026 13:05:12");
    expect(format.formatDateTime("2026-01-31T13:05:12.5", false)).toBe("31/01/2026 13:05");
    expect(format.formatTime("13:05:12.5")).toBe("13:05");
  });
  it("writes dates as the installation says, by the language, or as the standard does", () => {
    expect(format.formatDate("2026-01-31")).toBe("31/01/2026");
    expect(format.formatDate("2026")).toBe("2026");
    region.value = { ...region.value, date_format: "mm/dd/yyyy" };
    expect(format.formatDate("2026-01-31")).toBe("01/31/2026");
    i18n.global.locale.value = "de";
    expect(format.formatDate("2026-01-31")).toBe("01/31/2026");
    dateStyle.value = "language";
    expect(format.formatDate("2026-01-31")).toBe("31.01.2026");
    dateStyle.value = "iso";
    expect(format.formatDateTime("2026-01-31T13:05:12")).toBe("2026-01-31 13:05:12");
  });
  it("shows moments of the server in the installation's time zone", () => {
    region.value = { ...region.value, server_time_zone: "America/New_York" };
    expect(format.formatDateTime("2026-01-31T13:05:12Z")).toBe("31/01/2026 08:05:12");
    region.value = { ...region.value, time_zone: "Asia/Kolkata" };
    expect(format.formatDateTime("2026-01-31T20:05:12Z")).toBe("01/02/2026 01:35:12");
    expect(format.formatDateTime("2026-07-31T18:30:00+00:00", false)).toBe("01/08/2026 00:00");
    // What the server knows and the browser does not.
    region.value = { ...region.value, time_zone: "Nowhere/Atlantis" };
    expect(format.formatDateTime("2026-01-31T13:05:12Z")).toBe("31/01/2026 08:05:12");
    // A study's time is compared with the wall clock there: half past three in the afternoon.
    region.value = { ...region.value, time_zone: "Asia/Kolkata" };
    expect(format.formatAgo("2026-01-31T13:30:00", "2026-01-31T10:00:00Z")).toBe("2 hours ago");
    expect(weekdays.value).toEqual([1, 2, 3, 4, 5, 6, 7]);
    region.value = { ...region.value, first_day_of_week: "saturday" };
    expect(weekdays.value).toEqual([6, 7, 1, 2, 3, 4, 5]);
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

it("writes dates as the region of the language does", async () => {
  vi.stubGlobal("navigator", { languages: ["fr-CH", "en-US", "en-GB"] });
  vi.resetModules();
  const american = await import("./format");
  (await import("./language/region")).dateStyle.value = "language";
  expect(american.formatDate("2026-01-31")).toBe("01/31/2026");
  vi.unstubAllGlobals();
});
