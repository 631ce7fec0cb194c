/** Cron expressions in words and as the usual choices; the server alone works out when they are due. */
import cronstrue from "cronstrue";
import "cronstrue/locales/de"; // English is part of it
import { i18n } from "../../shared/language/i18n";

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

// Days of the week and months may be named.
const NAMED = /[a-z]{3}/gi;
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const MONTHS = ["", ..."jan feb mar apr may jun jul aug sep oct nov dec".split(" ")];
const FIELDS = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: MONTHS },
  { least: 0, most: 7, names: DAYS },
];

/** Whether every program reads a field in the same way, and as its words say. */
function isPlain(field: string, { least, most, names }: (typeof FIELDS)[number]): boolean {
  const inNumbers = field.replace(NAMED, (name) => {
    const number = (names as string[]).indexOf(name.toLowerCase());
    return number < 0 ? name : String(number);
  });
  return inNumbers.split(",").every((part) => {
    const [, from, to, step] = /^(\*|\d{1,2})(?:-(\d{1,2}))?(?:\/(\d{1,2}))?$/.exec(part) ?? [];
    // "5/10" and "*-3" are read differently by different programs.
    if (!from || (from === "*" && to) || (from !== "*" && !to && step)) return false;
    // A step that does not divide the hour begins anew with each: "every 7 minutes" would be wrong.
    if (step && (Number(step) === 0 || (most - least + 1) % Number(step) !== 0)) return false;
    if (from === "*") return true;
    const [first, last] = [Number(from), Number(to ?? from)];
    return least <= first && first <= last && last <= most;
  });
}

/** When an expression is due, in words; null for those that words could get wrong, and for what is no expression. */
export function cronWords(cron: string): string | null {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== 5 || !fields.every((field, at) => isPlain(field, FIELDS[at]!))) return null;
  const [, hour, ofMonth, , ofWeek] = fields;
  // Where both are given, either is enough.
  if (ofMonth !== "*" && ofWeek !== "*") return null;
  return cronstrue.toString(fields.join(" "), {
    locale: i18n.global.locale.value,
    use24HourTimeFormat: true,
    verbose: hour !== "*", // "every day" beside a time, not beside "every 15 minutes"
  });
}
