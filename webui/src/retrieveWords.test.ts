import { expect, it } from "vitest";
import type { FoundLine } from "./retrieveApi";
import { byStudy, decisionsFile, objectsOfAll, outcomeOf } from "./retrieveWords";

function line(more: Partial<FoundLine> = {}): FoundLine {
  return {
    line: 1, study_instance_uid: "1.2", study_date: "20260302", study_description: "Head", modalities: ["CT", "SR"], looked_at_as: ["CT"],
    study_reason: null, told: null, series_instance_uid: "1.2.1", modality: "SR", series_description: "Dose", station_name: "CT01",
    size: 3, kept: true, reason: "dose_report", images: null, chosen: true, state: null, fault: null, asked_for: null,
    arrived: null, imported: null, ...more,
  };
}

it("counts what is fetched: single objects, whole series, and series of a size that nobody told", () => {
  expect(objectsOfAll([line(), line({ images: ["1", "2"], size: 200 })])).toEqual({ objects: 5, more: false });
  expect(objectsOfAll([line(), line({ size: null })])).toEqual({ objects: 3, more: true });
});

it("puts series under their studies, and a study without series by itself", () => {
  const studies = byStudy([line(), line({ line: 2, series_instance_uid: "1.2.2" }), line({ line: 3, study_instance_uid: "1.3", series_instance_uid: null })]);
  expect(studies.map(({ uid, series }) => [uid, series.length])).toEqual([["1.2", 2], ["1.3", 0]]);
});

it("says what became of a series", () => {
  expect(outcomeOf(line(), false)).toBeNull();
  expect(outcomeOf(line({ state: "moving" }), true)?.tone).toBe("info");
  expect(outcomeOf(line({ state: "moving" }), false)?.tone).toBe("warn");
  const moved = { state: "moved", asked_for: 3, arrived: 3, imported: 3 } as const;
  expect(outcomeOf(line(moved), false)).toEqual({ tone: "good", words: "all 3 imported" });
  expect(outcomeOf(line({ ...moved, imported: 1 }), false)).toEqual({ tone: "warn", words: "arrived, 1 of 3 gave dose" });
  expect(outcomeOf(line({ ...moved, arrived: 1, imported: 1 }), false)).toEqual({ tone: "bad", words: "2 of 3 did not come" });
  expect(outcomeOf(line({ ...moved, arrived: null, imported: null }), false)).toEqual({ tone: "plain", words: "fetched" });
  expect(outcomeOf(line({ state: "failed", fault: "The node refused: x." }), false)?.words).toBe("failed: The node refused: x.");
});

it("writes decisions as CSV in which no text is a formula", async () => {
  const text = await decisionsFile([line({ series_description: '=1+1, "a"', images: ["1"] })]).text();
  const [head, row, end] = text.replace(/^\ufeff/, "").split("\r\n");
  expect(head!.split(",").slice(0, 2)).toEqual(["study_instance_uid", "study_date"]);
  expect(row).toBe(`1.2,20260302,Head,CT SR,CT,,,1.2.1,SR,"'=1+1, ""a""",CT01,3,true,dose_report,true,,,,,,1,dose report`);
  expect(end).toBe("");
});
