/** The format of numbers and dates, and the time zone: as the installation says, or as the user has chosen for this browser. */
import { computed, shallowRef } from "vue";
import type { Region } from "../api/schema";
import { get } from "../api/api";
import { i18n, t } from "./i18n";
import { useMemory } from "../memory";

/** How dates are written: as the installation says, as the language and region do, or as 2026-01-31. */
export const DATE_STYLES = ["installation", "language", "iso"] as const;
export type DateStyle = (typeof DATE_STYLES)[number];

const KEY = "dose.dates";
// English is also the language of those whose own is not there: day before month, as most of them write.
const USUAL: Record<string, string> = { en: "en-GB" };

const kept = useMemory(KEY);
export const dateStyle = computed<DateStyle>({
  get: () => DATE_STYLES.find((style) => style === kept.value) ?? "installation",
  set: (style) => (kept.value = style === "installation" ? null : style),
});

/** The installation's date format that leaves it to each language how it writes dates. */
const BY_LANGUAGE = "language";

/** As the installation says; until it is known, the program's own defaults and the browser's time zone. */
export const region = shallowRef<Region>({
  date_format: BY_LANGUAGE,
  first_day_of_week: "monday",
  time_zone: "",
  server_time_zone: "",
});

/** Asks the server for it; who is not signed in keeps what was known. */
export async function loadRegion(): Promise<void> {
  try {
    region.value = await get("/settings/region");
  } catch {
    // The page says by itself that the server does not answer, or wants to know who asks.
  }
}

export const locale = computed(() => {
  const language = i18n.global.locale.value;
  const regional = globalThis.navigator?.languages?.find((one) =>
    one.toLowerCase().startsWith(`${language}-`),
  );
  return regional ?? USUAL[language] ?? language;
});

type DatePart = Pick<Intl.DateTimeFormatPart, "type" | "value">;

/** The parts of a format, as "dd/mm/yyyy", with what stands between them. */
function partsOf(format: string): DatePart[] {
  const types: Record<string, DatePart["type"]> = { y: "year", m: "month", d: "day" };
  return (format.match(/y+|m+|d+|[^ymd]+/g) ?? []).map((value) => ({
    type: types[value[0]!] ?? "literal",
    value,
  }));
}

/** The parts of a date in the order in which the language writes them, with what stands between them. */
const languageDateParts = computed<DatePart[]>(() => {
  const format = new Intl.DateTimeFormat(locale.value, {
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return format.formatToParts(new Date(2026, 0, 31)).filter((part) => part.type !== "era");
});

/** The parts of a date in each style. */
export const datePartsBy = computed<Record<DateStyle, DatePart[]>>(() => ({
  installation: partsOf(
    region.value.date_format === BY_LANGUAGE ? t("app.dateFormat") : region.value.date_format,
  ),
  language: languageDateParts.value,
  iso: partsOf("yyyy-mm-dd"),
}));

/** The same as the user has chosen it. */
export const dateParts = computed(() => datePartsBy.value[dateStyle.value]);

const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/** The days of the week in their order, 1 for Monday to 7 for Sunday (ISO 8601). */
export const weekdays = computed<number[]>(() => {
  const first = Math.max(0, DAYS.indexOf(region.value.first_day_of_week));
  return DAYS.map((_day, at) => ((first + at) % 7) + 1);
});

export const knowsZone = computed(() =>
  Boolean(region.value.time_zone || region.value.server_time_zone),
);

/** What a clock on the wall of a time zone shows, as parts: of the browser's where none is given. Throws RangeError. */
const clock = (timeZone?: string) =>
  new Intl.DateTimeFormat("en", {
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZone,
  });

/** That of the installation; of the browser where it does not know the zone. */
const wall = computed(() => {
  for (const timeZone of [region.value.time_zone, region.value.server_time_zone]) {
    try {
      if (timeZone) return clock(timeZone);
    } catch {
      continue;
    }
  }
  return clock();
});

function shownBy(format: Intl.DateTimeFormat, moment: Date): string {
  const part = Object.fromEntries(
    format.formatToParts(moment).map(({ type, value }) => [type, value]),
  );
  return `${part.year!.padStart(4, "0")}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}`;
}

/** A moment as "2026-01-31T13:05:12", the wall time in the installation's time zone. */
export const wallTime = (moment: Date): string => shownBy(wall.value, moment);

/** The same in another time zone, the browser's own without one; null for a zone that the browser does not know. */
export function wallTimeIn(moment: Date, timeZone?: string): string | null {
  try {
    return shownBy(clock(timeZone), moment);
  } catch {
    return null;
  }
}

/** The browser's time zone by its name (IANA). */
export const ownZone = () => new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Today in the installation's time zone, as a date whose local fields say it. */
export function today(): Date {
  return new Date(wallTime(new Date()));
}

/** The moment, in UTC, at which a day begins in the installation's time zone. */
export function momentOf(day: string): string {
  const wanted = Date.parse(`${day}T00:00:00Z`);
  // How far the wall is from UTC is asked once more where it was found: the clocks may change in between.
  let moment = wanted;
  for (let round = 0; round < 2; round += 1)
    moment += wanted - Date.parse(`${wallTime(new Date(moment))}Z`);
  return new Date(moment).toISOString();
}
