import { expect, it } from "vitest";
import { groupMarks, kindOf } from "./marks";

it("puts marks of one meaning together, those that ask for a look first", () => {
  const marks = [
    { field: "dap_total", mark: "computed", raw: null },
    { field: "kvp", mark: "unit_unknown", raw: "80 furlong" },
    { field: "dap_total_a", mark: "computed", raw: null },
  ];
  const groups = groupMarks(marks);
  expect(groups.map(({ mark, entries }) => [mark, entries.length])).toEqual([
    ["unit_unknown", 1],
    ["computed", 2],
  ]);
  expect(kindOf("a mark of a later version")).toBe("doubtful");
});
