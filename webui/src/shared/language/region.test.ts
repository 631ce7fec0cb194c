import { afterEach, expect, test } from "vitest";
import { momentOf, region } from "./region";

const before = region.value;
afterEach(() => (region.value = before));

test("a day begins when the clocks of the installation say so, on days of summer time, too", () => {
  const begins = (zone: string, day: string) => {
    region.value = { ...before, time_zone: zone };
    return momentOf(day).slice(0, 16);
  };
  expect(begins("Europe/Berlin", "2026-01-31")).toBe("2026-01-30T23:00");
  // Clocks go forward in the night of March 29, and back in that of October 25.
  expect(begins("Europe/Berlin", "2026-03-29")).toBe("2026-03-28T23:00");
  expect(begins("Europe/Berlin", "2026-03-30")).toBe("2026-03-29T22:00");
  expect(begins("Europe/Berlin", "2026-10-25")).toBe("2026-10-24T22:00");
  expect(begins("America/New_York", "2026-07-01")).toBe("2026-07-01T04:00");
  expect(begins("Asia/Kathmandu", "2026-07-01")).toBe("2026-06-30T18:15");
});
