import { expect, test } from "vitest";
import { partsOf } from "./auditWords";

test("the numbers of studies are parts of their own, and no other numbers", () => {
  expect(partsOf("studies 5, 17")).toEqual([
    { text: "studies " },
    { text: "5", study: 5 },
    { text: ", " },
    { text: "17", study: 17 },
  ]);
  expect(partsOf("study 3: 4 rows")).toEqual([
    { text: "study " },
    { text: "3", study: 3 },
    { text: ": 4 rows" },
  ]);
  expect(partsOf("token 12")).toEqual([{ text: "token 12" }]);
  expect(partsOf("")).toEqual([]);
});
