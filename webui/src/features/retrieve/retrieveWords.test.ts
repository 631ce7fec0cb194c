import { expect, it } from "vitest";
import type { FoundSeries } from "../../shared/api/schema";
import { outcomeOf, reasonWord } from "./retrieveWords";

function line(more: Partial<FoundSeries> = {}): FoundSeries {
  return {
    line: 1,
    series_instance_uid: "1.2.1",
    modality: "SR",
    series_description: "Dose",
    station_name: "CT01",
    size: 3,
    objects: 3,
    singly: false,
    open: true,
    kept: true,
    reason: "dose_report",
    chosen: true,
    state: null,
    fault: null,
    asked_for: null,
    arrived: null,
    imported: null,
    ...more,
  };
}

it("says why, of a series and of a study", () => {
  expect([reasonWord("dose_report"), reasonWord("other_modality")]).toEqual([
    "dose report",
    "different modality",
  ]);
});

it("says what became of a series", () => {
  expect(outcomeOf(line(), false)).toBeNull();
  expect(outcomeOf(line({ state: "moving" }), true)?.tone).toBe("info");
  expect(outcomeOf(line({ state: "moving" }), false)?.tone).toBe("warn");
  const refused = line({ state: "moving", fault: "The node refused: x." });
  expect(outcomeOf(refused, true)).toEqual({
    tone: "warn",
    words: "will be retried soon: The node refused: x.",
  });
  const moved = { state: "moved", asked_for: 3, arrived: 3, imported: 3 } as const;
  expect(outcomeOf(line(moved), false)).toEqual({ tone: "good", words: "all 3 imported" });
  expect(outcomeOf(line({ ...moved, imported: 1 }), false)).toEqual({
    tone: "warn",
    words: "arrived, 1 of 3 with dose",
  });
  expect(outcomeOf(line({ ...moved, arrived: 1, imported: 1 }), false)).toEqual({
    tone: "bad",
    words: "2 of 3 did not arrive",
  });
  expect(outcomeOf(line({ ...moved, arrived: null, imported: null }), false)).toEqual({
    tone: "plain",
    words: "retrieved",
  });
  expect(outcomeOf(line({ state: "failed", fault: "The node refused: x." }), false)?.words).toBe(
    "failed: The node refused: x.",
  );
});
