/** Searches and retrievals in words: what was asked for, what was found, why it is fetched or not, what came of it. */
import { ONLY_REPORTS, type StudyKind, WORDS, type GivenWhat } from "./question";
import type { SearchResult } from "./results";
import type { Asking, FoundSeries, Task } from "../../shared/api/schema";
import { counted, formatCount, formatDate, formatDateTime, formatTime } from "../../shared/format";
import { taskSentence } from "../../shared/dose/fields";
import { t, te } from "../../shared/language/i18n";

/** The kinds of their tasks. */
export const SEARCH = "node-search";
export const RETRIEVAL = "retrieval";

/** The number of the search that a task is, or fetches the findings of; null for other tasks. */
export function searchOf(task: Task): number | null {
  if (task.kind === SEARCH) return task.id;
  const of = task.parameters.search;
  return task.kind === RETRIEVAL && typeof of === "number" ? of : null;
}

/** What pages call a node. */
export const nodeTitle = ({ title, name }: { title: string; name: string }) => title || name;

export const questionOf = (task: Task) => task.parameters as unknown as Asking;

export const kindWord = (kind: string) =>
  kind === ONLY_REPORTS ? t("retrieve.onlyReports") : kind;

/** What is asked for but for days and times, part by part: the kinds of studies first. */
export function whatWords(asked: GivenWhat): string[] {
  const quoted = (words: string[]) =>
    words.map((word) => t("groups.quoted", { name: word })).join(", ");
  return [
    asked.groups.map((one: StudyKind) => kindWord(one)).join(", "),
    ...WORDS.map((name) =>
      asked[name]?.length ? t(`retrieve.asked.${name}`, { words: quoted(asked[name]) }) : "",
    ),
    ...(["station_of_study", "unseen_reports", "toshiba", "by_day"] as const).map((name) =>
      asked[name] ? t(`retrieve.asked.${name}`) : "",
    ),
    asked.leave_out_known === false ? t("retrieve.asked.withKnown") : "",
  ].filter(Boolean);
}

/** The same with days and times. */
export function questionWords(asked: Asking): string[] {
  const { first, last, time_from: from, time_to: to } = asked;
  const [kinds = "", ...more] = whatWords(asked);
  return [
    kinds,
    last && last !== first ? `${formatDate(first)} – ${formatDate(last)}` : formatDate(first),
    from || to ? `${from ? formatTime(from) : "00:00"} – ${to ? formatTime(to) : "24:00"}` : "",
    asked.since ? t("retrieve.asked.since", { moment: formatDateTime(asked.since, false) }) : "",
    ...more,
  ].filter(Boolean);
}

/** What a search found, or a retrieval brought, in a few words. */
export function foundWords(task: Task): string {
  const result = task.result as Partial<SearchResult>;
  if (typeof result.studies !== "number") return "";
  const objects = result.objects;
  const kept = counted("retrieve.keptSeries", result.kept_series ?? 0);
  return `${counted("retrieve.studies", result.studies)}, ${kept}${typeof objects === "number" ? ` (${counted("retrieve.objects", objects)})` : ""}`;
}

/** Why a series is fetched or left, or a study is left. */
export const seriesReason = (reason: string) => t(`retrieve.reasons.${reason}`);
export const studyReason = (reason: string) => t(`retrieve.studyReasons.${reason}`);
/** The same where it may be either. */
export const reasonWord = (reason: string) =>
  te(`retrieve.reasons.${reason}`) ? seriesReason(reason) : studyReason(reason);

/** What the page says of a doubt, with what the node told. */
export const doubtWords = (doubt: string, told: string) =>
  t(`retrieve.doubts.${doubt}`, { told: taskSentence(told) });

/** "20260302" as the user writes dates. */
export const dicomDate = (date: string | null) =>
  formatDate(date?.replace(/^(\d{4})(\d\d)(\d\d)$/, "$1-$2-$3"));

/** What became of a series that was to be fetched. */
export function outcomeOf(
  line: FoundSeries,
  underWay: boolean,
): { tone: "plain" | "info" | "good" | "warn" | "bad"; words: string } | null {
  if (line.state === "failed")
    return {
      tone: "bad",
      words: t("retrieve.became.failed", { fault: taskSentence(line.fault ?? "") }),
    };
  if (line.state === "moving" && !underWay)
    return { tone: "warn", words: t("retrieve.became.brokenOff") };
  if (line.state === "moving" && line.fault)
    return { tone: "warn", words: t("retrieve.became.again", { fault: taskSentence(line.fault) }) };
  if (line.state === "moving") return { tone: "info", words: t("retrieve.became.moving") };
  if (line.state !== "moved") return null;
  const { asked_for: asked, arrived, imported } = line;
  if (asked === null || arrived === null)
    return { tone: "plain", words: t("retrieve.became.moved") };
  if (arrived < asked)
    return {
      tone: "bad",
      words: t("retrieve.became.missing", {
        n: formatCount(asked - arrived),
        of: formatCount(asked),
      }),
    };
  if ((imported ?? 0) < arrived) {
    return {
      tone: "warn",
      words: t("retrieve.became.arrived", {
        n: formatCount(imported ?? 0),
        of: formatCount(arrived),
      }),
    };
  }
  return { tone: "good", words: counted("retrieve.became.imported", arrived) };
}
