/** The user's format of numbers and dates: the language of the pages, in the region that the browser names for it. */
import { computed, ref, watch } from "vue";
import { i18n } from "./i18n";
import { recall, remember } from "./memory";

/** How dates are written: as the language and region do, or as 2026-01-31. */
export type DateStyle = "language" | "iso";

const KEY = "dose.dates";
// English is also the language of those whose own is not there: day before month, as most of them write.
const USUAL: Record<string, string> = { en: "en-GB" };

export const dateStyle = ref<DateStyle>(recall(KEY) === "iso" ? "iso" : "language");
watch(dateStyle, (style) => remember(KEY, style === "iso" ? style : null));

export const locale = computed(() => {
  const language = i18n.global.locale.value;
  const regional = globalThis.navigator?.languages?.find((one) => one.toLowerCase().startsWith(`${language}-`));
  return regional ?? USUAL[language] ?? language;
});

type DatePart = Pick<Intl.DateTimeFormatPart, "type" | "value">;
const ISO: DatePart[] = ["year", "-", "month", "-", "day"].map((one) => ({
  type: one === "-" ? "literal" : (one as "year"),
  value: one,
}));

/** The parts of a date in the order in which the language writes them, with what stands between them. */
export const languageDateParts = computed<DatePart[]>(() => {
  const format = new Intl.DateTimeFormat(locale.value, {
    calendar: "gregory",
    numberingSystem: "latn",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  return format.formatToParts(new Date(2026, 0, 31)).filter((part) => part.type !== "era");
});

/** The same as the user has chosen it. */
export const dateParts = computed(() => (dateStyle.value === "iso" ? ISO : languageDateParts.value));

/** The moment, in UTC, at which a day begins. */
export function momentOf(day: string): string {
  return new Date(`${day}T00:00:00`).toISOString();
}
