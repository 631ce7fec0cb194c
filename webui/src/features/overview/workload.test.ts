import { describe, expect, it } from "vitest";
import { barsOf, firstOfLast } from "./workload";

describe("workload", () => {
  it("has a bar a day over a month", () => {
    const bars = barsOf({ from: "2026-02-27", days: 3, counts: [1, 0, 4] });
    expect(bars).toEqual([
      { from: "2026-02-27", to: "2026-02-27", count: 1 },
      { from: "2026-02-28", to: "2026-02-28", count: 0 },
      { from: "2026-03-01", to: "2026-03-01", count: 4 },
    ]);
  });

  it("puts days together over longer times, and loses none", () => {
    const bars = barsOf({
      from: "2025-01-01",
      days: 365,
      counts: Array.from({ length: 365 }, () => 2),
    });
    expect(bars.length).toBeLessThanOrEqual(60);
    expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(730);
    expect([bars[0]!.from, bars.at(-1)!.to]).toEqual(["2025-01-01", "2025-12-31"]);
    expect(bars.at(-1)!.from).toBe("2025-12-25");
  });

  it("counts today among the last days", () => {
    expect(firstOfLast(1, "2026-03-01T10:00:00+01:00")).toBe("2026-03-01");
    expect(firstOfLast(7, "2026-03-01T10:00:00+01:00")).toBe("2026-02-23");
  });
});
