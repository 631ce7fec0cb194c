import { expect, it } from "vitest";
import type { Setting } from "../../shared/api/schema";
import { readTyped, sameValue, valueWords, withPasted } from "./settings";

function setting(kind: string, more: Partial<Setting> = {}): Setting {
  return {
    name: "x",
    topic: "y",
    title: "X",
    kind,
    description: "",
    choices: [],
    minimum: null,
    maximum: null,
    unit: null,
    example: "",
    key: "X",
    value: null,
    default: null,
    changed: false,
    ...more,
  };
}

it("takes patterns in another order for the same", () => {
  expect(sameValue(setting("patterns"), ["a*", "b"], ["b", "a*"])).toBe(true);
  expect(sameValue(setting("patterns"), ["a*"], ["a*", "b"])).toBe(false);
  expect(sameValue(setting("flag"), true, false)).toBe(false);
});

it("reads a whole number within its limits, and nothing else", () => {
  const hours = setting("number", { minimum: 1, maximum: 1200, unit: "h" });
  expect(readTyped(hours, " 12 ")).toEqual({ value: 12, wrong: "" });
  expect(readTyped(hours, "1,200")).toEqual({ value: 1200, wrong: "" });
  for (const typed of ["", "0", "1201", "1.5", "-3", "many"])
    expect(readTyped(hours, typed).wrong).toContain("from 1 to 1200");
});

it("takes pasted lines as patterns, none twice", () => {
  expect(withPasted(["*test*"], "PHANTOM*\r\n\n *test* \nqa?\n")).toEqual([
    "*test*",
    "PHANTOM*",
    "qa?",
  ]);
});

it("says values in words", () => {
  expect(valueWords(setting("number", { unit: "h" }), 12)).toBe("12 hours");
  expect(valueWords(setting("time zone"), "")).toBe("the server’s time zone");
  expect(valueWords(setting("patterns"), [])).toBe("none");
  expect(valueWords(setting("choice", { choices: [{ value: "a", label: "All" }] }), "a")).toBe(
    "All",
  );
});
