import { describe, expect, it } from "vitest";
import { linesOf, unfolded } from "./eventLines";

const rows = Array.from({ length: 5 }, (_, at) => ({ event_number: at + 1 }));
const groups = [
  { key: "a", title: "A", rows: rows.slice(0, 3) },
  { key: "b", title: "B", rows: rows.slice(3) },
];
const shown = (folded: string[], first: number, end: number) =>
  linesOf(groups, rows, new Set(folded), first, end).map((line) =>
    line.kind === "head" ? line.group.key + (line.continued ? " …" : "") : line.row.event_number,
  );

describe("lines of a page of events", () => {
  it("are the events alone where there are no groups", () => {
    expect(
      linesOf(null, rows, new Set(), 1, 3).map(
        (line) => line.kind === "event" && line.row.event_number,
      ),
    ).toEqual([2, 3]);
  });
  it("have the head of a group again where a page begins within it", () => {
    expect(shown([], 0, 2)).toEqual(["a", 1, 2]);
    expect(shown([], 2, 4)).toEqual(["a …", 3, "b", 4]);
    expect(shown([], 4, 6)).toEqual(["b …", 5]);
  });
  it("have the head of a folded group once, where its events would be", () => {
    expect(unfolded(groups, rows, new Set(["a"]))).toHaveLength(2);
    expect(shown(["a"], 0, 2)).toEqual(["a", "b", 4, 5]);
    expect(shown(["b"], 0, 3)).toEqual(["a", 1, 2, 3, "b"]);
    expect(shown(["a", "b"], 0, 3)).toEqual(["a", "b"]);
  });
});
