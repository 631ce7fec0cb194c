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

export function outcomes(): Record<string, string> {
  return dictionary.value?.outcomes ?? {};
}

export function markSentence(mark: string): string {
  return dictionary.value?.marks[mark] ?? mark;
}

export function marksOf(row: Row): Mark[] {
  return Array.isArray(row.marks) ? (row.marks as Mark[]) : [];
}

export function findMark(row: Row, field: string): Mark | undefined {
  return marksOf(row).find((mark) => mark.field === field);
}

export function isNumeric(field: FieldInfo): boolean {
  return field.type === "number" || field.type === "integer" || field.type === "numbers";
}

export function isEmpty(value: unknown): boolean {
  return value === null || value === undefined || value === "" || (Array.isArray(value) && value.length === 0);
}
