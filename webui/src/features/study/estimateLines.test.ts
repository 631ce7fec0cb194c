import { describe, expect, it } from "vitest";
import { estimateLines } from "./estimateLines";
import type { Estimate } from "../../shared/api/schema";

const row = (event_number: number | null, value: number | null, reason: string | null) =>
  ({ event_number, quantity: "ssde", value, reason }) as Estimate;

describe("lines of estimates", () => {
  it("puts events without a value for the same reason together", () => {
    const lines = estimateLines([
      row(null, null, "no_size"),
      row(1, null, "localizer"),
      row(2, 12.3, null),
      row(3, null, "localizer"),
      row(4, null, "no_size"),
      row(5, 11, null),
    ]);
    expect(lines.map((line) => line.events)).toEqual([[], [1, 3], [2], [4], [5]]);
    expect(lines.map((line) => line.row.value)).toEqual([null, null, 12.3, null, 11]);
  });
});
