/** Filters in words: their titles, their choices, and what is chosen, as it stands above the list. */
import { descriptionOf, fieldTitle, findField, markSentence, sourceTitle } from "./fields";
import { parametersOf, plainNumber, termsOf, toShown, type Conditions } from "./filters";
import { formatDate, formatNumber } from "./format";
import { i18n, t, te } from "./i18n";
import type { FilterInfo, FilterRole } from "./types";

/** One condition in words, with the parameters that it stands for. */
export interface Chip {
  text: string;
  parameters: string[];
}

/** A filter is called as the pages say it; else as the server does, in English; in other languages as its field is. */
export function filterTitle(filter: FilterInfo): string {
  const language = i18n.global.locale.value;
  const key = `filters.names.${filter.name}`;
  if (te(key, language)) return t(key);
  if (language === "en") return filter.label;
  const [table = "", field = ""] = filter.field.split(".");
  return fieldTitle(table, field) || filter.label;
}

/** What the filter looks at, where its field is described; the server's words, in English, where the field is not. */
export function filterDescription(filter: FilterInfo): string {
  const [table = "", name = ""] = filter.field.split(".");
  const field = findField(table, name);
  return field && filter.description === field.description ? descriptionOf(field) : filter.description;
}

export function choiceTitle(filter: FilterInfo, choice: { value: string; label: string }): string {
  if (filter.name === "source") return sourceTitle(choice.value);
  if (filter.name === "mark") return markSentence(choice.value);
  const key = `filters.choices.${filter.name}.${choice.value}`;
  return te(key) ? t(key) : choice.label;
}

export function groupTitle(group: string, label: string): string {
  const key = `filters.groups.${group}`;
  return te(key) ? t(key) : label;
}

/** A number of the API as it is typed and read: in the shown unit and the user's format, with all its digits. */
export function numberText(stored: string, filter: FilterInfo): string {
  const plain = plainNumber(toShown(stored, filter));
  if (!/^-?\d+(\.\d+)?$/.test(plain)) return stored;
  return formatNumber(Number(plain), plain.split(".")[1]?.length ?? 0);
}

export function unitOf(filter: FilterInfo): string {
  return filter.shown_unit ?? "";
}

/** All that is chosen, in the order of the form; then what no filter declares, as it stands in the address. */
export function chipsOf(conditions: Conditions, filters: FilterInfo[]): Chip[] {
  const known = filters.flatMap((filter) => chipsOfFilter(filter, conditions));
  const declared = new Set(filters.flatMap(parametersOf));
  const others = Object.keys(conditions).filter((name) => !declared.has(name));
  return [...known, ...others.map((name) => ({ text: `${name}: ${conditions[name]}`, parameters: [name] }))];
}

function chipsOfFilter(filter: FilterInfo, conditions: Conditions): Chip[] {
  const name = filterTitle(filter);
  const chips: Chip[] = [];
  const value = (role: FilterRole) => conditions[filter.parameters[role] ?? ""];
  const add = (words: string, ...roles: FilterRole[]) =>
    chips.push({ text: words, parameters: roles.map((role) => filter.parameters[role]!).filter((one) => one in conditions) });

  for (const role of ["contains", "not", "is"] as const) {
    const text = value(role);
    if (text === undefined) continue;
    const terms = termsOf(text);
    // An identifier is one value; "is" of a text says that the whole of it is meant.
    const key = role === "is" && !filter.parameters.contains ? "contains" : role;
    add(t(`filters.words.${key}`, { name, what: terms.join(", ") || text }, terms.length), role);
  }
  const empty = value("empty");
  if (empty !== undefined) add(t(empty === "no" ? "filters.words.filled" : "filters.words.empty", { name }), "empty");
  const any = value("any");
  if (any !== undefined) add(t("filters.words.contains", { name, what: labels(filter, any.split(",")) }, 1), "any");

  const [from, to] = [value("from"), value("to")];
  if (from !== undefined || to !== undefined) {
    const [least, most] = [from, to].map((one) => one !== undefined && bound(filter, one));
    const unit = unitOf(filter) && `\u00a0${unitOf(filter)}`;
    const key = from === undefined ? "to" : to === undefined ? "from" : from === to ? "equal" : "between";
    const kind = filter.type === "number" || filter.type === "integer" ? "number" : "moment";
    add(t(`filters.words.${kind}.${key}`, { name, from: least + unit, to: most + unit, least: String(least) }), "from", "to");
  }
  return chips;
}

function labels(filter: FilterInfo, values: string[]): string {
  const one = (value: string) => filter.choices.find((choice) => choice.value === value.trim()) ?? { value, label: value };
  return values.map((value) => choiceTitle(filter, one(value))).join(", ");
}

function bound(filter: FilterInfo, value: string): string {
  if (filter.type === "date") return formatDate(value);
  return filter.type === "time" ? value : numberText(value, filter);
}
