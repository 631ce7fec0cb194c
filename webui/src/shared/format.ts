/** From stored values to what people read: numbers in the units they use, dates, times ago. */
import { computed } from "vue";
import type { Code as MaybeCode, FieldInfo } from "./api/schema";
import { sourceTitle } from "./dose/fields";
import { meaningOf, t } from "./language/i18n";
import { dateParts, knowsZone, locale, wallTime } from "./language/region";

const SIGNIFICANT = 4;
export const NOTHING = "–";

/** Formats of numbers by how many decimals they have, in the user's format. */
const formats = computed(() => ({
  locale: locale.value,
  byDecimals: new Map<number, Intl.NumberFormat>(),
}));

function fixedFormat(decimals: number): Intl.NumberFormat {
  const { locale, byDecimals } = formats.value;
  let format = byDecimals.get(decimals);
  if (!format) {
    format = new Intl.NumberFormat(locale, {
      numberingSystem: "latn",
      useGrouping: "min2",
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    byDecimals.set(decimals, format);
  }
  return format;
}

export function formatCount(count: number | null | undefined): string {
  return typeof count === "number" ? fixedFormat(0).format(count) : NOTHING;
}

/** "3 studies": the text of this key, with the number as {n} and in the form that the number asks for. */
export function counted(key: string, count: number): string {
  return t(key, { n: formatCount(count) }, count);
}

/** What the user's format puts between thousands and before decimals. */
export const separators = computed(() => {
  const parts = new Intl.NumberFormat(locale.value, {
    numberingSystem: "latn",
  }).formatToParts(1234567.5);
  const sign = (type: string) => parts.find((part) => part.type === type)?.value ?? "";
  return { group: sign("group"), decimal: sign("decimal") };
});

/** A number that JavaScript wrote, with the decimal sign of the user's format. */
const withComma = (number: string) => number.replace(".", separators.value.decimal);

/**
 * A number typed in the user's format as a plain decimal: "1.234,5" in German and "1,234.5" in English are "1234.5".
 * null for anything else: a point is never guessed to be a comma, since that would be wrong by a thousand one day.
 * Spaces and apostrophes may stand between thousands in any language.
 */
export function parseNumberText(text: string): string | null {
  const { group, decimal } = separators.value;
  const plain = [...text.trim().replace(/^\u2212/, "-")]
    .map((sign) =>
      sign === decimal
        ? "."
        : sign === group || /[\s'’]/.test(sign)
          ? "_"
          : /[._]/.test(sign)
            ? "?"
            : sign,
    )
    .join("");
  const [, minus = "", whole = "", decimals = ""] =
    /^([-+]?)(\d+|[1-9]\d{0,2}(?:_\d{3})+|(?=\.\d))(?:\.(\d*))?$/.exec(plain) ?? [];
  if (whole + decimals === "") return null;
  const digits = whole.replaceAll("_", "").replace(/^0+(?=\d)/, "") || "0";
  return (minus === "-" ? "-" : "") + digits + (decimals && `.${decimals}`);
}

/** The value in the unit that pages show. Takes off what binary fractions add: 0.0001234 Gy·m² is 123.4 cGy·cm². */
export function scaled(value: number, field: FieldInfo | undefined): number {
  return Number((value * (field?.shown_factor ?? 1)).toPrecision(12));
}

/**
 * Decimals for numbers that stand below each other: four significant digits of the largest, none that all are zero.
 */
export function decimalsFor(values: number[]): number {
  let largest = 0;
  for (const value of values)
    if (Number.isFinite(value)) largest = Math.max(largest, Math.abs(value));
  if (largest === 0) return 0;
  const digits = Math.floor(Math.log10(largest)) + 1;
  let decimals = Math.min(Math.max(SIGNIFICANT - digits, 0), 8);
  const finite = values.filter(Number.isFinite);
  while (decimals > 0 && finite.every((value) => isZeroAfter(value, decimals - 1, decimals)))
    decimals -= 1;
  return decimals;
}

/** The number without its sign, rounded as Intl does: as it is written, of which binary may be a little less. In units of the last decimal. */
function rounded(value: number, decimals: number): number {
  const [digits, exponent = "0"] = String(Math.abs(value)).split("e");
  return Math.round(Number(`${digits}e${Number(exponent) + decimals}`));
}

/** Whether the further decimals, up to so many, are all zero. */
const isZeroAfter = (value: number, fewer: number, decimals: number) =>
  rounded(value, fewer) * 10 ** (decimals - fewer) === rounded(value, decimals);

/** A number with so many decimals; a small one keeps two digits that count, so that it never reads as zero. */
export function formatNumber(value: number, decimals: number = decimalsFor([value])): string {
  if (!Number.isFinite(value)) return String(value);
  if (value !== 0 && Math.abs(value) < 10 ** -decimals * 2) {
    const needed = 1 - Math.floor(Math.log10(Math.abs(value)));
    if (needed > 8) return withComma(value.toExponential(2));
    // 0.1 is not 0.10 for that.
    while (decimals < needed && !isZeroAfter(value, decimals, needed)) decimals += 1;
    return fixedFormat(decimals).format(value);
  }
  return fixedFormat(decimals).format(value);
}

/** "2026-01-31" as the user writes dates; what is no whole date stays as it is. */
export function formatDate(date: string | null | undefined, parts = dateParts.value): string {
  if (!date) return NOTHING;
  const [all, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)/.exec(date) ?? [];
  if (!all) return date.slice(0, 10);
  return parts.map((part) => ({ year, month, day })[part.type as "day"] ?? part.value).join("");
}

/** "13:05:12.5" as 13:05, or 13:05:12 with seconds. */
export function formatTime(time: string | null | undefined, seconds = false): string {
  return time ? time.slice(0, seconds ? 8 : 5) : NOTHING;
}

const hasZone = (moment: string) => /(?:Z|[+-]\d\d:?\d\d)$/.test(moment);

/** "2026-01-31T13:05:12.5" as date and time. A time of a study stands as written, one in UTC as the installation's clocks do. */
export function formatDateTime(moment: string | null | undefined, seconds = true): string {
  if (!moment) return NOTHING;
  if (hasZone(moment)) {
    const date = new Date(moment);
    if (Number.isNaN(date.getTime())) return moment;
    moment = wallTime(date);
  }
  const [day = "", time] = moment.split(/[T ]/);
  return time ? `${formatDate(day)} ${formatTime(time, seconds)}` : formatDate(day);
}

const relative = computed(() => new Intl.RelativeTimeFormat(locale.value, { numeric: "always" }));
const STEPS: [Intl.RelativeTimeFormatUnit, number, number][] = [
  ["minute", 60, 3600],
  ["hour", 3600, 86400],
  ["day", 86400, 60 * 86400],
  ["month", 30.44 * 86400, 730 * 86400],
  ["year", 365.25 * 86400, Infinity],
];

/** "3 hours ago", by the server's clock `now`, so that a wrong one in the browser does not matter. */
export function formatAgo(moment: string | null | undefined, now: string): string {
  if (!moment) return NOTHING;
  // A study's time has no zone: it is compared with the installation's clock as that one stands on the wall.
  if (!hasZone(moment)) {
    // A day without a time would be read as midnight in UTC.
    if (moment.length === 10) moment += "T00:00:00";
    if (hasZone(now))
      now = knowsZone.value ? wallTime(new Date(now)) : now.replace(/(?:Z|[+-]\d\d:?\d\d)$/, "");
  }
  const seconds = (new Date(now).getTime() - new Date(moment).getTime()) / 1000;
  if (Number.isNaN(seconds)) return formatDateTime(moment);
  if (Math.abs(seconds) < 60) return t("app.justNow");
  const [unit, length] = STEPS.find(([, , below]) => Math.abs(seconds) < below) ?? STEPS[0]!;
  return relative.value.format(-Math.trunc(seconds / length), unit);
}

/** 754 s as "12 min 34 s"; null below a minute. */
export function formatMinutes(seconds: number): string | null {
  if (!(seconds >= 60)) return null;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

/** 754 s as "12 min 34 s", 5 s as "5 s". */
export const formatDuration = (seconds: number): string =>
  formatMinutes(seconds) ?? `${Math.max(0, Math.round(seconds))} s`;

export function formatBytes(bytes: number | null | undefined): string {
  if (typeof bytes !== "number") return NOTHING;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let step = 0;
  while (bytes >= 1000 && step < units.length - 1) {
    bytes /= 1000;
    step += 1;
  }
  return `${formatNumber(bytes, bytes < 10 && step > 0 ? 1 : 0)} ${units[step]}`;
}

const YEAR = "a";
const DAYS_OF_YEAR = 365.25;

/** An age in years as it is said: "54 y", of small children "7 mo" and "12 d"; whole ones that are completed. */
export function formatAge(years: number): string {
  // What was given as one year is not twelve months.
  const [unit, count] =
    years >= 2 || years === 1
      ? ["years", years]
      : years * 12 >= 1
        ? ["months", years * 12]
        : ["days", years * DAYS_OF_YEAR];
  // 7 months are a little less than 7/12 in binary.
  return t(`app.age.${unit}`, { n: formatCount(Math.floor(count + 1e-6)) });
}

/** The unit that stands beside a value, or once above a column of them; ages say their own. */
export const unitBeside = (field?: FieldInfo): string =>
  (field && field.unit !== YEAR && field.shown_unit) || "";

type Code = NonNullable<MaybeCode>;

export function isCode(value: unknown): value is Code {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    "meaning" in value &&
    "scheme" in value
  );
}

/** Its meaning in the language of the pages, if the concept is a common one. */
const translated = (code: Code): string | undefined =>
  code.scheme && code.value ? meaningOf(code.scheme, code.value) : undefined;

function codeText(code: Code): string {
  return translated(code) ?? (code.meaning || code.value || NOTHING);
}

/** The code, and its own meaning where another text is shown. */
function codeHint(code: Code): string {
  const hint = [code.scheme, code.value].filter(Boolean).join(" ");
  return translated(code) && code.meaning ? `${hint}: ${code.meaning}` : hint;
}

const RAISED: Record<string, string> = {
  0: "⁰",
  1: "¹",
  2: "²",
  3: "³",
  4: "⁴",
  5: "⁵",
  6: "⁶",
  7: "⁷",
  8: "⁸",
  9: "⁹",
  m: "ᵐ",
};

/** "^99m^Technetium", as codes of nuclides write it, with the mass number raised. */
function raised(text: string): string {
  return text.replace(/\^(\d{1,3}m?)\^/g, (_all, mass: string) =>
    [...mass].map((one) => RAISED[one]).join(""),
  );
}

/** A text that the server cut says so at its end, in English. */
function inOurWords(text: string): string {
  const cut = text.length > 10_000 ? /… \(([\d,]+) more characters\)$/.exec(text) : null;
  if (!cut) return text;
  const n = formatCount(Number(cut[1]!.replaceAll(",", "")));
  return t("app.cut", { text: text.slice(0, cut.index), n });
}

/** One value as text, without its unit; anything that DICOM sends stays text. */
export function formatValue(value: unknown, field?: FieldInfo, decimals?: number): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  if (Array.isArray(value)) {
    if (value.length === 0) return NOTHING;
    if (field?.type === "numbers" && decimals === undefined) {
      decimals = decimalsFor(
        value.filter((one) => typeof one === "number").map((one) => scaled(one, field)),
      );
    }
    return value.map((one) => formatValue(one, field, decimals)).join(", ");
  }
  if (typeof value === "number") {
    if (field?.type === "integer") return formatCount(value);
    if (field?.unit === YEAR) return formatAge(value);
    const shown = scaled(value, field);
    return formatNumber(shown, decimals ?? decimalsFor([shown]));
  }
  if (typeof value === "boolean") return t(value ? "app.yes" : "app.no");
  if (isCode(value)) return field ? raised(codeText(value)) : codeText(value);
  if (typeof value === "object") return JSON.stringify(value);
  const text = inOurWords(String(value));
  if (field?.name === "source") return sourceTitle(text);
  if (field?.type === "date") return formatDate(text);
  if (field?.type === "datetime") return formatDateTime(text);
  if (field?.type === "time") return formatTime(text, true);
  return field?.type === "text" ? raised(text) : text;
}

/** What stands behind a value: the code, or the number as stored, in full. */
export function hintOf(value: unknown, field?: FieldInfo): string | undefined {
  if (isCode(value)) return codeHint(value) || undefined;
  if (Array.isArray(value) && value.length && value.every(isCode))
    return value.map(codeHint).join(", ");
  if (typeof value === "number" && field?.type === "number") {
    const unit = field.shown_unit ? ` ${field.shown_unit}` : "";
    return `${withComma(String(scaled(value, field)))}${unit}`;
  }
  return undefined;
}

/** A value with its unit behind it. */
export function formatWithUnit(value: unknown, field?: FieldInfo, decimals?: number): string {
  const text = formatValue(value, field, decimals);
  const unit = unitBeside(field);
  if (!unit || text === NOTHING) return text;
  return unit === "°" ? text + unit : `${text} ${unit}`;
}

/** What the study is called: the first description that says anything. */
export function describeStudy(study: Record<string, unknown>): string | null {
  for (const name of [
    "study_description",
    "requested_procedure_description",
    "performed_procedure_step_description",
    "protocol_name",
    "series_description",
  ]) {
    const text = study[name];
    if (typeof text === "string" && text.trim()) return text;
  }
  return null;
}

/** number: from 1, Monday. */
export function weekdayTitle(number: number | null): string {
  if (number === null) return t("charts.blank");
  // 2024-01-01 was a Monday.
  return new Intl.DateTimeFormat(locale.value, { weekday: "long", timeZone: "UTC" }).format(
    Date.UTC(2024, 0, number),
  );
}
