import { expect, it } from "vitest";
import type { Run } from "../../shared/api/schema";
import {
  countsOf,
  freeName,
  lookBackWords,
  modelOf,
  momentWords,
  runEnded,
  runWords,
} from "./scheduleWords";

function run(more: Partial<Run> = {}): Run {
  return {
    due: "2026-03-02T01:30:00+00:00",
    search: 1,
    is_forgotten: false,
    state: "done",
    message: null,
    started_at: null,
    finished_at: null,
    result: { studies: 12, gaps: { rule: 3, failed: 1 } },
    retrieval: null,
    ...more,
  };
}
const fetched = (state: "done" | "running", result: object) => ({
  id: 2,
  state,
  message: null,
  result,
});

it("says a moment in the zone of the schedule, and what is not known of it not at all", () => {
  // Japan has had nine hours since 1951, without summer time.
  expect(momentWords("2026-03-02T22:00:00+00:00", "Asia/Tokyo")!.there).toBe("03/03/2026 07:00");
  expect(momentWords("2026-07-10T00:30:00Z", "Europe/Berlin")!.there).toBe("10/07/2026 02:30");
  expect(momentWords(null, "Asia/Tokyo")).toBeNull();
});

it("says how far a run looks back", () => {
  expect(lookBackWords({ look_back: 1, unit: "days" })).toBe("the day before");
  expect(lookBackWords({ look_back: 1, unit: "hours" })).toBe("the last hour");
  expect(lookBackWords({ look_back: 0, unit: "days" })).toBe("the same day");
  expect(lookBackWords({ look_back: 7, unit: "days" })).toBe("7 days");
  expect(lookBackWords({ look_back: 1.5, unit: "hours" })).toBe("1.5 hours");
});

it("tells what came of a run, and leaves out what is not known", () => {
  expect(runWords(run())).toBe("12 studies found, 4 studies not in the database");
  const result = { series: 4, failed: 1, asked_for: 9, arrived: 7, imported: 7, missing: 2 };
  const whole = run({ retrieval: fetched("done", result) });
  expect(runWords(whole)).toBe(
    "12 studies found, 7 of 9 objects retrieved, 1 series failed, 2 objects missing, 4 studies not in the database",
  );
  expect(countsOf(run({ result: {} }))).toEqual({
    studies: null,
    fetched: null,
    of: null,
    failed: null,
    gaps: null,
  });
  expect(countsOf(run({ result: { studies: 0, gaps: {} } }))).toMatchObject({
    studies: 0,
    gaps: 0,
  });
  expect(runWords(run({ state: "failed", search: null, result: {} }))).toBe("failed");
});

it("knows when a run has ended: its search, and its retrieval where there is one", () => {
  expect(runEnded(run())).toBe(true);
  expect(runEnded(run({ state: "running" }))).toBe(false);
  expect(runEnded(run({ retrieval: fetched("running", {}) }))).toBe(false);
  expect(runEnded(run({ retrieval: fetched("done", {}) }))).toBe(true);
});

it("begins a schedule from a model, under a name that is free", () => {
  expect(modelOf("nightly", "pacs")).toMatchObject({
    node: "pacs",
    cron: "30 2 * * *",
    look_back: 1,
    unit: "days",
    fetch: true,
  });
  expect(modelOf("gap-check", "pacs")).toMatchObject({ fetch: false, look_back: 7, unit: "days" });
  expect(freeName("nightly", ["nightly", "nightly-2"])).toBe("nightly-3");
  expect(freeName("nightly", [])).toBe("nightly");
});
