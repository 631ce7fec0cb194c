/**
 * The data dictionary, loaded once: titles, units, types, and what belongs to which modality. Its words are in the
 * language of the pages where the file of that language has them under `dictionary`, else in the server's English.
 */
import { shallowRef } from "vue";
import { MODALITIES } from "../facts";
import type { DataDictionary, FieldInfo, MarksEntry, ModalityInfo } from "../api/schema";
import type { Row } from "./row";
import { get } from "../api/api";
import { t, wordAt } from "../language/i18n";

/** The code of a modality type. */
export type Modality = (typeof MODALITIES)[number];

const dictionary = shallowRef<DataDictionary | null>(null);
let loading: Promise<DataDictionary> | null = null;

/** The dictionary; asked for once, and again only after it could not be had. */
export function loadFields(): Promise<DataDictionary> {
  loading ??= get("/fields").then(
    (fields) => {
      for (const { name, fields: all } of fields.tables) place(all, name);
      fields.filters.forEach(translateUnit);
      return (dictionary.value = fields);
    },
    (reason: unknown) => {
      loading = null;
      throw reason;
    },
  );
  return loading;
}

/** Waits for the dictionary and for the data that need it. */
export async function withFields<T>(data: Promise<T>): Promise<T> {
  const [answer] = await Promise.all([data, loadFields()]);
  return answer;
}

/** Where the words about a field stand: by table, or by the structure that it is in, whose fields are the same in all. */
const places = new WeakMap<FieldInfo, [string, ...string[]]>();

function place(fields: FieldInfo[], ...above: [string, ...string[]]): void {
  for (const field of fields) {
    places.set(field, [...above, field.name]);
    translateUnit(field);
    place(field.fields, "within", field.name);
  }
}

/** Units that are words, such as years, are in the language of the pages wherever one is shown; symbols are the same in all. */
function translateUnit(of: { shown_unit: string | null }): void {
  const english = of.shown_unit;
  if (english)
    Object.defineProperty(of, "shown_unit", {
      get: () => word("units", english) ?? english,
      enumerable: true,
    });
}

/** What the language of the pages calls a thing of the dictionary; undefined where its file does not say. */
const word = (...path: string[]) => wordAt("dictionary", ...path);

export function titleOf(field: FieldInfo): string {
  return word(...(places.get(field) ?? [])) ?? field.title;
}

/** What a field means, in a sentence or more. */
export function descriptionOf(field: FieldInfo): string {
  return word("descriptions", ...(places.get(field) ?? [])) ?? field.description;
}

export function tableFields(table: string): FieldInfo[] {
  return dictionary.value?.tables.find((one) => one.name === table)?.fields ?? [];
}

export function tableTitle(table: string): string {
  return (
    word("tables", table) ?? dictionary.value?.tables.find((one) => one.name === table)?.title ?? ""
  );
}

export function findField(table: string, name: string): FieldInfo | undefined {
  return tableFields(table).find((field) => field.name === name);
}

export function fieldTitle(table: string, name: string): string {
  const field = findField(table, name);
  return field ? titleOf(field) : "";
}

export function modalities(): ModalityInfo[] {
  return dictionary.value?.modalities ?? [];
}

export function findModality(code: string): ModalityInfo | undefined {
  return modalities().find((modality) => modality.code === code);
}

export function modalityTitle(code: string): string {
  return word("modalities", code) ?? findModality(code)?.title ?? code;
}

const EVENT = "event_number";

/** What one irradiation, or one administration, of the modality is called: the title of its number. */
export function eventWord(modality: string, count: number): string {
  const table = findModality(modality)?.events_table ?? "";
  if (word("events", table)) return t(`dictionary.events.${table}`, count);
  const english = (findField(table, EVENT)?.title ?? "Event").toLowerCase();
  return count === 1 ? english : `${english}s`;
}

/** The title of a total; how many events there are is called as the modality calls them. */
export function totalTitle(modality: string, name: string): string {
  if (name === "number_of_events") return capital(eventWord(modality, 2));
  return fieldTitle("study", name);
}

export const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** The best source of a record, of which nothing needs to be said. */
export const REPORT = "report";

// "image header" is one word in the files.
const keyOf = (source: string) => source.replaceAll(" ", "_");

export function sourceTitle(source: string): string {
  return word("source_titles", keyOf(source)) ?? source;
}

/** What a source of records means. */
export function sourceSentence(source: string): string {
  return word("sources", keyOf(source)) ?? dictionary.value?.sources[source] ?? "";
}

/** The source of a row where it is another than a report. */
export function otherSource(row: Row): string | null {
  return typeof row.source === "string" && row.source !== "" && row.source !== REPORT
    ? row.source
    : null;
}

/** Outcomes of objects, with what each means. */
export function outcomes(): Record<string, string> {
  const all = Object.entries(dictionary.value?.outcomes ?? {});
  return Object.fromEntries(
    all.map(([outcome, sentence]) => [outcome, word("outcomes", outcome) ?? sentence]),
  );
}

export function outcomeTitle(outcome: string): string {
  return word("outcome_titles", outcome) ?? outcome;
}

export function markSentence(mark: string): string {
  return word("marks", mark) ?? dictionary.value?.marks[mark] ?? mark;
}

/** An error of the server: by its code, with the server's own sentence where the words have a place for it. */
export function serverSentence(code: string, english: string): string {
  return word("errors", code)?.replace("{message}", () => english) ?? english;
}

const slugOf = (sentence: string) =>
  sentence
    .toLowerCase()
    .replace(/[^a-z]+/g, "_")
    .replace(/^_|_$/g, "");

/** What the server says of a task, in the language of the pages where its file has the sentence, or what stands before a colon. */
export function taskSentence(english: string): string {
  const inFull = word("sentences", slugOf(english));
  if (inFull) return inFull.replace("{n}", /\d+/.exec(english)?.[0] ?? "");
  const [all, before, rest] = /^([^:]+)(: .*)$/s.exec(english) ?? [];
  const begin = before && word("sentences", slugOf(before));
  return all && begin ? begin + rest : english;
}

export function marksOf(row: Row): MarksEntry[] {
  return Array.isArray(row.marks) ? (row.marks as MarksEntry[]) : [];
}

export function marksAt(row: Row, field: string): MarksEntry[] {
  return marksOf(row).filter((mark) => mark.field === field);
}

export function isNumeric(field: FieldInfo): boolean {
  return field.type === "number" || field.type === "integer" || field.type === "numbers";
}

export function isEmpty(value: unknown): boolean {
  return (
    value === null ||
    value === undefined ||
    value === "" ||
    (Array.isArray(value) && value.length === 0)
  );
}
