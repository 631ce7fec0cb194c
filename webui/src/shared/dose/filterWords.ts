/** Filters in words: their titles, their choices, and what is chosen, as it stands above the list. */
import type { FilterInfo } from "../api/schema";
import type { FilterRole } from "./filters";
import { descriptionOf, fieldTitle, findField, markSentence, sourceTitle } from "./fields";
import { parametersOf, plainNumber, termsOf, toShown, usesOf, type Conditions } from "./filters";
import { formatDate, formatNumber } from "../format";
import { i18n, t, te } from "../language/i18n";

/** One condition in words, with the parameters that it stands for. */
const WORDS_OF_GIVEN: Record<string, string> = { no: "notGiven", plausible: "plausible" };

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
  return field && filter.description === field.description
    ? descriptionOf(field)
    : filter.description;
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
export const numberText = (stored: string, filter: FilterInfo): string =>
  written(plainNumber(toShown(stored, filter)), stored);

function written(plain: string, otherwise: string): string {
  if (!/^-?\d+(\.\d+)?$/.test(plain)) return otherwise;
  return formatNumber(Number(plain), plain.split(".")[1]?.length ?? 0);
}

const MOST_DIGITS = 9;
const ENOUGH_DIGITS = 6;

/** The same to be read: nobody types as many digits as the edges of a chart's bins have. */
function shortNumberText(stored: string, filter: FilterInfo): string {
  const plain = plainNumber(toShown(stored, filter));
  const digits = plain.replace(/[-.]/g, "").replace(/^0+/, "");
  const short =
    plain.includes(".") && digits.length > MOST_DIGITS
      ? Number(plain).toPrecision(ENOUGH_DIGITS)
      : plain;
  return written(plainNumber(short), stored);
}

export function unitOf(filter: FilterInfo): string {
  return filter.shown_unit ?? "";
}

/** All that is chosen, in the order of the filters; then what no filter declares, as it stands in the address. */
export function chipsOf(conditions: Conditions, filters: FilterInfo[]): Chip[] {
  const used = filters.filter((filter) => usesOf(filter, conditions));
  const known = used.flatMap((filter) => {
    const ofSame = used.filter((one) => one.of_one && one.of_one === filter.of_one).length > 1;
    return chipsOfFilter(filter, conditions, nameIn(filter, ofSame));
  });
  const declared = new Set(filters.flatMap(parametersOf));
  const others = Object.keys(conditions).filter((name) => !declared.has(name));
  return [
    ...known,
    ...others.map((name) => ({ text: `${name}: ${conditions[name]}`, parameters: [name] })),
  ];
}

/** What filters of one event ask for, one and the same event must be. */
function nameIn(filter: FilterInfo, ofSame: boolean): string {
  const name = filterTitle(filter);
  if (!filter.of_one) return name;
  const what = filter.of_one === "nm_administration" ? "administration" : "event";
  return t(`filters.${ofSame ? "ofSame" : "ofOne"}.${what}`, { name });
}

function chipsOfFilter(filter: FilterInfo, conditions: Conditions, name: string): Chip[] {
  const chips: Chip[] = [];
  const value = (role: FilterRole) => conditions[filter.parameters[role] ?? ""];
  const add = (words: string, ...roles: FilterRole[]) =>
    chips.push({
      text: words,
      parameters: roles
        .map((role) => filter.parameters[role] ?? "")
        .filter((one) => one in conditions),
    });

  for (const role of ["contains", "not", "is"] as const) {
    const text = value(role);
    if (text === undefined) continue;
    const terms = termsOf(text);
    // An identifier is one value; "is" of a text says that the whole of it is meant.
    const key = role === "is" && !filter.parameters.contains ? "contains" : role;
    add(t(`filters.words.${key}`, { name, what: terms.join(", ") || text }, terms.length), role);
  }
  const exactly = value("exactly");
  if (exactly !== undefined) add(t("filters.words.exactly", { name, what: exactly }), "exactly");
  const empty = value("empty");
  if (empty !== undefined)
    add(t(empty === "no" ? "filters.words.filled" : "filters.words.empty", { name }), "empty");
  const any = value("any");
  if (any !== undefined)
    add(t("filters.words.contains", { name, what: labels(filter, any.split(",")) }, 1), "any");

  const [from, to, given] = [value("from"), value("to"), value("given")];
  // What is at least something above zero is given.
  const implied: FilterRole[] = given === "yes" && Number(from) > 0 ? ["given"] : [];
  if (from !== undefined || to !== undefined) {
    const [least, most] = boundsOf(filter, from, to);
    const unit = unitOf(filter) && `\u00a0${unitOf(filter)}`;
    const key =
      from === undefined ? "to" : to === undefined ? "from" : from === to ? "equal" : "between";
    const kind = filter.type === "number" || filter.type === "integer" ? "number" : "moment";
    add(
      t(`filters.words.${kind}.${key}`, { name, from: least + unit, to: most + unit, least }),
      "from",
      "to",
      ...implied,
    );
  }
  if (given !== undefined && !implied.length)
    add(t(`filters.words.${WORDS_OF_GIVEN[given] ?? "given"}`, { name }), "given");
  return chips;
}

function labels(filter: FilterInfo, values: string[]): string {
  const one = (value: string) =>
    filter.choices.find((choice) => choice.value === value.trim()) ?? { value, label: value };
  return values.map((value) => choiceTitle(filter, one(value))).join(", ");
}

function boundsOf(
  filter: FilterInfo,
  ...ends: [string | undefined, string | undefined]
): [string, string] {
  if (filter.type === "date")
    return ends.map((one) => (one ? formatDate(one) : "")) as [string, string];
  if (filter.type === "time") return ends.map((one) => one ?? "") as [string, string];
  const [least, most] = ends.map((one) => (one ? shortNumberText(one, filter) : "")) as [
    string,
    string,
  ];
  // Two that differ late are told with all their digits.
  return least === most
    ? (ends.map((one) => numberText(one ?? "", filter)) as [string, string])
    : [least, most];
}
