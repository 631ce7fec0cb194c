/** The data dictionary, loaded once: titles, units, types, and what belongs to which modality. */
import { shallowRef } from "vue";
import { api } from "./api";
import type { DataDictionary, FieldInfo, Mark, ModalityInfo, Row } from "./types";

const dictionary = shallowRef<DataDictionary | null>(null);
let loading: Promise<DataDictionary> | null = null;

/** The dictionary; asked for once, and again only after it could not be had. */
export function loadFields(): Promise<DataDictionary> {
  loading ??= api.fields().then(
    (fields) => (dictionary.value = fields),
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

export function tableFields(table: string): FieldInfo[] {
  return dictionary.value?.tables.find((one) => one.name === table)?.fields ?? [];
}

export function tableTitle(table: string): string {
  return dictionary.value?.tables.find((one) => one.name === table)?.title ?? "";
}

export function findField(table: string, name: string): FieldInfo | undefined {
  return tableFields(table).find((field) => field.name === name);
}

export function fieldTitle(table: string, name: string): string {
  return findField(table, name)?.title ?? "";
}

export function modalities(): ModalityInfo[] {
  return dictionary.value?.modalities ?? [];
}

export function findModality(code: string): ModalityInfo | undefined {
  return modalities().find((modality) => modality.code === code);
}

const EVENT = "event_number";

/** What one irradiation, or one administration, of the modality is called: the title of its number. */
export function eventWord(modality: string, count: number): string {
  const word = (fieldTitle(findModality(modality)?.events_table ?? "", EVENT) || "Event").toLowerCase();
  return count === 1 ? word : `${word}s`;
}

/** The title of a total; how many events there are is called as the modality calls them. */
export function totalTitle(modality: string, name: string): string {
  if (name === "number_of_events") return capital(eventWord(modality, 2));
  return fieldTitle("study", name);
}

const capital = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);

/** The best source of a record, of which nothing needs to be said. */
export const REPORT = "report";

/** What a source of records means. */
export function sourceSentence(source: string): string {
  return dictionary.value?.sources[source] ?? "";
}

/** The source of a row where it is another than a report. */
export function otherSource(row: Row): string | null {
  return typeof row.source === "string" && row.source !== "" && row.source !== REPORT ? row.source : null;
}

export function outcomes(): Record<string, string> {
  return dictionary.value?.outcomes ?? {};
}

export function markSentence(mark: string): string {
  return dictionary.value?.marks[mark] ?? mark;
}

export function marksOf(row: Row): Mark[] {
  return Array.isArray(row.marks) ? (row.marks as Mark[]) : [];
}

export function marksAt(row: Row, field: string): Mark[] {
  return marksOf(row).filter((mark) => mark.field === field);
}

export function isNumeric(field: FieldInfo): boolean {
  return field.type === "number" || field.type === "integer" || field.type === "numbers";
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}
