/** Cron expressions in words and as the usual choices; the server alone works out when they are due. */
import { weekdayTitle } from "../../shared/format";
import { t } from "../../shared/language/i18n";
import { locale } from "../../shared/language/region";

/** How often, as a form offers it; "own": an expression by hand. */
export const OFTEN = ["daily", "weekdays", "weekly", "hourly", "own"] as const;
export type Often = (typeof OFTEN)[number];

/** A usual choice: at `time` (HH:MM), weekly on `weekday` (1 for Monday to 7), hourly at the minute of `time`. */
export interface Usual {
  often: Often;
  time: string;
  weekday: number;
}

const two = (number: number) => String(number).padStart(2, "0");
const clock = (hour: number, minute: number) => `${two(hour)}:${two(minute)}`;

export function cronOf({ often, time, weekday }: Usual): string {
  const [hour = 0, minute = 0] = time.split(":").map(Number);
  if (often === "hourly") return `${minute} * * * *`;
  const days = { daily: "*", weekdays: "1-5", weekly: String(weekday), own: "*" }[often];
  return `${minute} ${hour} * * ${days}`;
}

/** Which of the usual choices an expression is. */
export function usualOf(cron: string): Usual {
  const usual: Usual = { often: "own", time: "02:30", weekday: 1 };
  const [, minute, hour, days] =
    /^\s*(\d{1,2})\s+(\d{1,2}|\*)\s+\*\s+\*\s+(\*|1-5|[0-7])\s*$/.exec(cron) ?? [];
  if (!minute || !hour || !days || Number(minute) > 59 || Number(hour) > 23) return usual;
  if (hour === "*")
    return days === "*" ? { ...usual, often: "hourly", time: clock(0, Number(minute)) } : usual;
  const time = clock(Number(hour), Number(minute));
  if (days === "*") return { ...usual, often: "daily", time };
  if (days === "1-5") return { ...usual, often: "weekdays", time };
  return { often: "weekly", time, weekday: Number(days) || 7 };
}

const NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/** The numbers of a field in their order; null for what is written in a rarer way. */
function numbersOf(field: string, least: number, most: number): number[] | null {
  const found = new Set<number>();
  for (const part of field.split(",")) {
    const [, from, to, step = "1"] =
      /^(\*|\d{1,2})(?:-(\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    // "5/10" and "*-3" are read differently by different programs.
    if (!from || (from === "*" && to) || (from !== "*" && !to && step !== "1") || step === "0")
      return null;
    const [first, last] = from === "*" ? [least, most] : [Number(from), Number(to ?? from)];
    if (first < least || last > most || last < first) return null;
    for (let number = first; number <= last; number += Number(step)) found.add(number);
  }
  return [...found].sort((one, other) => one - other);
}

const MOST_TIMES = 6;
const inRow = (numbers: number[]) =>
  numbers.every((number, at) => at === 0 || number === numbers[at - 1]! + 1);
const listed = (words: string[]) =>
  new Intl.ListFormat(locale.value, { type: "conjunction" }).format(words);

/** On which days, by a field of days of the month and one of weekdays: "" for every day, null where that is not said easily. */
function dayWords(ofMonth: string, ofWeek: string): string | null {
  if (ofMonth === "*" && ofWeek === "*") return "";
  if (ofMonth !== "*" && ofWeek !== "*") return null;
  if (ofWeek === "*") {
    const days = numbersOf(ofMonth, 1, 31);
    return days && days.length <= MOST_TIMES
      ? t("retrieve.cron.ofMonth", { days: listed(days.map((n) => t("retrieve.cron.nth", { n }))) })
      : null;
  }
  const plain = ofWeek
    .toLowerCase()
    .replace(/[a-z]{3}/g, (name) => (NAMES.includes(name) ? String(NAMES.indexOf(name)) : name));
  const numbers = numbersOf(plain, 0, 7);
  if (!numbers) return null;
  // Sunday is 0 and 7; weeks begin on Monday here.
  const days = [...new Set(numbers.map((day) => day || 7))].sort();
  if (days.length === 7) return "";
  if (days.length > 2 && inRow(days))
    return t("retrieve.cron.fromTo", {
      from: weekdayTitle(days[0]!),
      to: weekdayTitle(days.at(-1)!),
    });
  return listed(days.map((day) => weekdayTitle(day)));
}

/** At which times of a day: whether they are many, all day long, and the words; null where that is not said easily. */
function timeWords(minutes: number[], hours: number[]): { words: string; allDay: boolean } | null {
  const [minute = 0, next] = minutes;
  const allDay = hours.length === 24;
  if (minutes.length * hours.length <= MOST_TIMES) {
    const times = hours.flatMap((hour) => minutes.map((one) => clock(hour, one)));
    return { words: t("retrieve.cron.at", { times: listed(times) }), allDay: false };
  }
  if (minutes.length === 1) {
    if (allDay) return { words: t("retrieve.cron.hourly", { minute: two(minute) }), allDay };
    if (!inRow(hours)) return null;
    return {
      words: t("retrieve.cron.hourlyFromTo", {
        from: clock(hours[0]!, minute),
        to: clock(hours.at(-1)!, minute),
      }),
      allDay,
    };
  }
  const step = (next ?? 0) - minute;
  const even =
    minute === 0 &&
    60 % step === 0 &&
    minutes.length === 60 / step &&
    minutes.every((one, at) => one === at * step);
  if (!even || !inRow(hours)) return null;
  if (allDay) return { words: t("retrieve.cron.minutes", { n: step }, step), allDay };
  const span = { n: step, from: clock(hours[0]!, 0), to: clock(hours.at(-1)!, 60 - step) };
  return { words: t("retrieve.cron.minutesFromTo", span, step), allDay };
}

/** When an expression is due, in words; null for those that are rarer, and for what is no expression. */
export function cronWords(cron: string): string | null {
  const [minute, hour, ofMonth, month, ofWeek, more] = cron.trim().split(/\s+/);
  if (!minute || !hour || !ofMonth || month !== "*" || !ofWeek || more !== undefined) return null;
  const [minutes, hours] = [numbersOf(minute, 0, 59), numbersOf(hour, 0, 23)];
  const days = dayWords(ofMonth, ofWeek);
  const times = minutes && hours ? timeWords(minutes, hours) : null;
  if (days === null || !times) return null;
  if (times.allDay && !days) return times.words;
  return t("retrieve.cron.days", { days: days || t("retrieve.cron.everyDay"), times: times.words });
}
