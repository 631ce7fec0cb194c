/** Long work on the server in words: what a task does, how far it is, what came of it. */
import type { Task } from "../api/schema";
import type { TaskPage, TaskState } from "./taskState";
import { EXPORT } from "./exportWords";
import { FINISHED_STATES } from "../facts";
import { formatBytes, formatCount, formatDuration } from "../format";
import { t, te } from "../language/i18n";

/** The kind of the tasks that import heights and weights. */
export const SIZES = "import-sizes";

const FINISHED: readonly TaskState[] = FINISHED_STATES;

export const finishedOf = (states: TaskPage["states"]) =>
  FINISHED.reduce((sum, state) => sum + (states[state] ?? 0), 0);
export const isFinished = (task: Pick<Task, "state">) => FINISHED.includes(task.state);

// "no study" is one word in the files.
const keyOf = (word: string) => word.replace(/[^\w-]/g, "_");
const known = (key: string) => te(key);

/** What a task does. */
export function kindTitle(kind: string): string {
  const key = `tasks.kinds.${keyOf(kind)}`;
  return known(key) ? t(key) : kind;
}

export const stateTitle = (state: string) => t(`tasks.states.${keyOf(state)}`);

/** One task by its name: an export is called as its file is. */
export function taskTitle(task: Task): string {
  return [kindTitle(task.kind), task.kind === EXPORT && task.subject].filter(Boolean).join(" ");
}

/** What a task is about. */
export const subjectOf = (task: Task) =>
  task.kind === SIZES && task.parameters.file !== undefined
    ? t("sizes.fileNumber", { number: String(task.parameters.file) })
    : (task.subject ?? "");

/** What became of a line of a task's log. */
export function outcomeWord(outcome: string): string {
  const key = `tasks.outcomes.${keyOf(outcome)}`;
  return known(key) ? t(key) : outcome;
}

const BYTES = "bytes";

/** How far it is, where it is known how much there is to do. */
export function progressWords({ kind, done, total }: Task): string {
  if (!total) return "";
  return t(kind === EXPORT ? "exports.progress" : "tasks.progress", {
    done: formatCount(done),
    total: formatCount(total),
  });
}

/** What came of it, in words: its numbers by their names, with those of the kind first; zeros are left out where others are. */
export function resultWords(task: Task): string {
  const all = Object.entries(task.result).filter(
    (one): one is [string, number] => typeof one[1] === "number",
  );
  const some = all.filter(([, count]) => count);
  return (some.length ? some : all)
    .map(([name, count]) => {
      if (name === BYTES) return formatBytes(count);
      const key = [
        `tasks.results.${keyOf(task.kind)}.${keyOf(name)}`,
        `tasks.results.any.${keyOf(name)}`,
      ].find(known);
      return key ? t(key, { n: formatCount(count) }, count) : `${name}: ${formatCount(count)}`;
    })
    .join(", ");
}

/** Sentences of the result, and numbers of studies that it names. */
export const resultSaid = (task: Task) => listOf<string>(task.result.said, "string");
export const resultStudies = (task: Task) => listOf<number>(task.result.studies, "number");

function listOf<T>(value: unknown, type: string): T[] {
  return Array.isArray(value)
    ? (value as unknown[]).filter((one): one is T => typeof one === type)
    : [];
}

const seconds = (from: string | null, to: string | null) =>
  from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : NaN;

/** How long it took, or has taken until now, the server's. */
export function durationOf(task: Task, now: string): string {
  const took = seconds(task.started_at, task.finished_at ?? now);
  return took >= 0 ? formatDuration(took) : "";
}

// How far each was when it was first seen: what it did before a restart of the server says nothing of how fast it is.
const firstSeen = new Map<number, { at: string; done: number }>();
const LEAST_S = 3;

/** How long it will take yet, in seconds; null where that cannot be said. */
export function secondsLeft(task: Task, now: string): number | null {
  if (task.state !== "running" || !task.total) return null;
  const first = firstSeen.get(task.id) ?? { at: now, done: task.done };
  firstSeen.set(task.id, first);
  const [took, did] = [seconds(first.at, now), task.done - first.done];
  return took >= LEAST_S && did > 0 ? ((task.total - task.done) * took) / did : null;
}
