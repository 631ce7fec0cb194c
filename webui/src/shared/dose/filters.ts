/**
 * Filters of the list of studies, as the server declares them. What is chosen is a map of the API's parameters to their
 * values, the same in the address bar, in the form and in requests; numbers are in the stored unit there.
 */
import type { FilterInfo, Filters } from "../api/schema";
import type { LocationQuery } from "vue-router";

/** Values by the name of the API's parameter; no empty ones. */
export type Conditions = Record<string, string>;

// What the address of a list holds besides its filters; its modality stands in the path.
const OF_THE_LIST = new Set(["page", "size", "sort", "modality"]);

/** What a filter asks of its values: each is a parameter of the API. */
export type FilterRole = keyof FilterInfo["parameters"];
/** As requests have them: whoever wrote an address chose the names, and the server refuses those that it does not know. */
export const asFilters = (conditions: Conditions): Filters => conditions as Filters;

export function conditionsOf(query: LocationQuery): Conditions {
  const conditions: Conditions = {};
  for (const [name, value] of Object.entries(query)) {
    const text = Array.isArray(value) ? value.at(-1) : value;
    if (text && !OF_THE_LIST.has(name)) conditions[name] = text;
  }
  return conditions;
}

export function sameConditions(a: Conditions, b: Conditions): boolean {
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name]);
}

/** The conditions with some of them set anew; an empty value takes one away. */
export function changed(conditions: Conditions, change: Conditions): Conditions {
  return Object.fromEntries(
    Object.entries({ ...conditions, ...change }).filter(([, value]) => value !== ""),
  );
}

/** Those that the form of a modality has. */
export function filtersFor(filters: FilterInfo[], modality: string): FilterInfo[] {
  return filters.filter(
    ({ group, modalities }) => group && (modalities.length === 0 || modalities.includes(modality)),
  );
}

export const parametersOf = (filter: FilterInfo): string[] => Object.values(filter.parameters);

/** How many of the filter's parameters are set. */
export function usesOf(filter: FilterInfo, conditions: Conditions): number {
  return parametersOf(filter).filter((name) => name in conditions).length;
}

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d{1,3}))?$/i;

/** The number times 10^power: "12.5" and -6 give "12.5e-6". Text stays text, so that no digit changes on the way. */
export function timesTenTo(text: string, power: number): string {
  const [, , whole = "", decimals = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  if (!(whole + decimals)) return text;
  const together = Number(exponent) + power;
  return text.replace(/e.*$/i, "") + (together ? `e${together}` : "");
}

/** "12.5e-6" as "0.0000125"; what is no number stays as it is. */
export function plainNumber(text: string): string {
  const [, sign = "", whole = "", decimals = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  if (!(whole + decimals)) return text;
  const digits = whole + decimals;
  const point = whole.length + Number(exponent);
  const before = point > 0 ? digits.slice(0, point).padEnd(point, "0") : "0";
  const after = (point >= 0 ? digits.slice(point) : "0".repeat(-point) + digits).replace(/0+$/, "");
  return (
    (sign === "-" ? "-" : "") + (before.replace(/^0+(?=\d)/, "") || "0") + (after && `.${after}`)
  );
}

const powerOf = (filter: FilterInfo) => Math.round(Math.log10(filter.shown_factor || 1));

/** A number as people see it, in the unit that the API wants. */
export const toStored = (plain: string, filter: FilterInfo): string =>
  timesTenTo(plain, -powerOf(filter));
/** A number of the API in the unit that people see. */
export const toShown = (stored: string, filter: FilterInfo): string =>
  plainNumber(timesTenTo(stored, powerOf(filter)));

const TERM = /\s*(?:"((?:[^"]|"")*)"\s*(?=,|$)|([^,]*))(?:,|$)/g;

/** Terms stand between commas; one with a comma in it stands in double quotes, in which "" is one of them. */
export function termsOf(text: string): string[] {
  const terms = [...text.matchAll(TERM)].map(
    ([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain,
  );
  return terms.map((term) => term.trim()).filter(Boolean);
}

export const iso = (day: Date) =>
  [
    day.getFullYear(),
    String(day.getMonth() + 1).padStart(2, "0"),
    String(day.getDate()).padStart(2, "0"),
  ].join("-");

export interface Period {
  key: "today" | "thisWeek" | "days7" | "days30" | "thisYear" | "lastYear";
  from: string;
  to: string;
}

/** Periods that people ask for most, as they are on that day. firstDay: of the week, 1 for Monday to 7 for Sunday. */
export function periods(today: Date, firstDay: number): Period[] {
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  const ago = (days: number) => iso(new Date(year, month, day - days));
  const intoWeek = (today.getDay() - firstDay + 7) % 7;
  return [
    { key: "today", from: ago(0), to: ago(0) },
    { key: "thisWeek", from: ago(intoWeek), to: ago(intoWeek - 6) },
    { key: "days7", from: ago(6), to: ago(0) },
    { key: "days30", from: ago(29), to: ago(0) },
    { key: "thisYear", from: `${year}-01-01`, to: `${year}-12-31` },
    { key: "lastYear", from: `${year - 1}-01-01`, to: `${year - 1}-12-31` },
  ];
}
