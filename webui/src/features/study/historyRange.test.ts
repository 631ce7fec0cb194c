import { expect, it } from "vitest";
import { dayIn, yearsBefore } from "./historyRange";

it("counts years back to the same day, and from 29 February to the 28th", () => {
  expect(yearsBefore(new Date(2026, 10, 22), 5)).toBe("2021-11-22");
  expect(yearsBefore(new Date(2024, 1, 29), 1)).toBe("2023-02-28");
});

it("takes only days that there are from the address", () => {
  expect(dayIn("2026-01-31")).toBe("2026-01-31");
  for (const text of ["2026-02-30", "31.01.2026", "", undefined]) expect(dayIn(text)).toBe("");
});
