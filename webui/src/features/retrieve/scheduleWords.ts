/** Schedules in words: when they run and what for, what came of a run; and what a new one begins with. */
import type { RouteLocationRaw } from "vue-router";
import { FLAGS, GROUPS, type StudyKind, WORDS, type What, type GivenWhat } from "./question";
import type { Run, Schedule, ScheduledSearch } from "../../shared/api/schema";
import { cronWords } from "./cron";
import { counted, formatCount, formatDateTime } from "../../shared/format";
import { t } from "../../shared/language/i18n";
import { ownZone, wallTimeIn } from "../../shared/language/region";
import { isFinished, stateTitle } from "../../shared/tasks/taskWords";

/** How far back a run looks: the day before, the last hour, or so many of them. */
export function lookBackWords({
  look_back: back,
  unit,
}: Pick<ScheduledSearch, "look_back" | "unit">): string {
  if (back === 1) return t(`retrieve.schedules.back.${unit === "days" ? "dayBefore" : "lastHour"}`);
  if (back === 0 && unit === "days") return t("retrieve.schedules.back.sameDay");
  return t(`retrieve.schedules.back.${unit}`, {
    n: Number.isInteger(back) ? formatCount(back) : String(back),
  });
}

export const whenWords = (cron: string) => cronWords(cron) ?? t("retrieve.cron.rarer");

/** A moment in the schedule's time zone, and in the browser's where that shows another time; null without one. */
export function momentWords(
  moment: string | null,
  zone: string,
): { there: string; here: string | null } | null {
  if (!moment) return null;
  const [there, here] = [zone, undefined].map((one) =>
    formatDateTime(wallTimeIn(new Date(moment), one) ?? moment, false),
  );
  return { there: there!, here: here === there ? null : here! };
}

/** Sums of a run, null where that was not done, or is not known yet. */
export function countsOf({ result, retrieval }: Run) {
  const came = retrieval?.result;
  const gaps = result.gaps ? Object.values(result.gaps).reduce((sum, one) => sum + one, 0) : null;
  const failed =
    came?.failed === undefined && came?.missing === undefined
      ? null
      : { series: came?.failed ?? 0, missing: came?.missing ?? 0 };
  return {
    studies: result.studies ?? null,
    fetched: came?.arrived ?? null,
    of: came?.asked_for ?? null,
    failed,
    gaps,
  };
}

/** A run in a few words. */
export function runWords(run: Run): string {
  const { studies, fetched, of, failed, gaps } = countsOf(run);
  return [
    run.state === "failed" ? stateTitle(run.state) : "",
    studies === null ? "" : counted("retrieve.runs.found", studies),
    fetched === null
      ? ""
      : t("retrieve.runs.fetchedOf", { n: formatCount(fetched), of: formatCount(of) }),
    failed?.series ? counted("retrieve.runs.failed", failed.series) : "",
    failed?.missing ? counted("retrieve.runs.missing", failed.missing) : "",
    gaps === null ? "" : counted("retrieve.runs.gaps", gaps),
  ]
    .filter(Boolean)
    .join(", ");
}

/** Whether its search and its retrieval have ended. */
export const runEnded = ({ state, retrieval }: Run) =>
  isFinished({ state }) && (!retrieval || isFinished(retrieval));

/** What a new schedule may begin with. */
export const MODELS = ["nightly", "gap-check"] as const;
export type Model = (typeof MODELS)[number];

const anything = (): What => ({
  ...FLAGS,
  groups: Object.keys(GROUPS) as StudyKind[],
  ...(Object.fromEntries(WORDS.map((name) => [name, []])) as unknown as Record<
    (typeof WORDS)[number],
    string[]
  >),
});

export function modelOf(model: Model | null, node: string): ScheduledSearch {
  const usual = {
    node,
    question: anything(),
    cron: "30 2 * * *",
    time_zone: ownZone(),
    look_back: 1,
    unit: "days" as const,
    fetch: true,
    on: true,
  };
  return model === "gap-check"
    ? { ...usual, cron: "0 6 * * *", look_back: 7, fetch: false }
    : usual;
}

/** A name that no other schedule has. */
export function freeName(wanted: string, taken: string[]): string {
  if (!taken.includes(wanted)) return wanted;
  let number = 2;
  while (taken.includes(`${wanted}-${number}`)) number += 1;
  return `${wanted}-${number}`;
}

/** The form of a new schedule that asks this of the node. */
export const newSchedule = (node: string, question: GivenWhat): RouteLocationRaw => ({
  name: "new-schedule",
  // History keeps plain copies alone.
  state: { draft: JSON.stringify({ node, question }) },
});

/** What the form was opened with. */
export function draftOf(state: unknown): { node: string; question: What } | null {
  const draft = (state as { draft?: unknown } | null)?.draft;
  return typeof draft === "string" ? (JSON.parse(draft) as { node: string; question: What }) : null;
}

/** The fields that are saved, without what the server adds. */
export function entryOf({
  node,
  question,
  cron,
  time_zone,
  look_back,
  unit,
  fetch,
  on,
}: Schedule): ScheduledSearch {
  return { node, question, cron, time_zone, look_back, unit, fetch, on };
}
