import { expect, it } from "vitest";
import type { Task } from "../api/schema";
import { durationOf, kindTitle, outcomeWord, resultWords, secondsLeft } from "./taskWords";

function task(more: Partial<Task> = {}): Task {
  return {
    id: 1,
    kind: "re-extraction",
    subject: null,
    user_name: "anna",
    state: "running",
    done: 0,
    total: 100,
    message: null,
    parameters: {},
    result: {},
    created_at: null,
    started_at: "2026-01-31T10:00:00Z",
    finished_at: null,
    ...more,
  };
}

it("calls kinds and outcomes by their words, and unknown ones as they are", () => {
  expect(kindTitle("re-extraction")).toBe("Re-importing all stored content");
  expect(kindTitle("a new kind")).toBe("a new kind");
  expect(outcomeWord("no study")).toBe("no study found");
  expect(outcomeWord("odd one")).toBe("odd one");
});

it("says what came of a task by its numbers", () => {
  expect(resultWords(task({ result: { changed: 1, failed: 0, fields: {}, studies: [3] } }))).toBe(
    "1 changed",
  );
  expect(resultWords(task({ result: { changed: 0, failed: 0 } }))).toBe("0 changed, 0 failed");
  expect(resultWords(task({ kind: "x", result: { wobbles: 1200 } }))).toBe("wobbles: 1200");
});

it("says how long a task took, by the server's clock", () => {
  expect(durationOf(task(), "2026-01-31T10:03:12Z")).toBe("3 min 12 s");
  expect(durationOf(task({ finished_at: "2026-01-31T10:00:05Z" }), "2026-02-01T10:00:00Z")).toBe(
    "5 s",
  );
  expect(durationOf(task({ started_at: null }), "2026-02-01T10:00:00Z")).toBe("");
});

it("says how long it takes yet from how fast it is now", () => {
  expect(secondsLeft(task({ id: 7, done: 40 }), "2026-01-31T11:00:00Z")).toBeNull();
  expect(secondsLeft(task({ id: 7, done: 60 }), "2026-01-31T11:00:10Z")).toBe(20);
  expect(secondsLeft(task({ id: 7, done: 60, total: null }), "2026-01-31T11:00:10Z")).toBeNull();
  expect(secondsLeft(task({ id: 7, done: 100, state: "done" }), "2026-01-31T11:00:10Z")).toBeNull();
});
